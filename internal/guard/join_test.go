package guard_test

import (
	"strings"
	"testing"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/guard"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
)

// TestPlansOfJoins: the table is walked by its key, whatever else could begin, and a table that is not small is not read whole.
func TestPlansOfJoins(t *testing.T) {
	t.Parallel()
	const large, table = "INSERT INTO c SELECT g, g, 'name' FROM generate_series(1, 20000) g;", "CREATE TABLE t (id int PRIMARY KEY, n int, name text); INSERT INTO t SELECT g, g, NULL FROM generate_series(1, 50000) g;"
	parts := strings.Replace(table, "name text)", "name text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (2000); CREATE TABLE t_2 PARTITION OF t DEFAULT", 1)
	for name, c := range map[string]struct{ ddl, on, want string }{
		"an index":                {table + "CREATE TABLE c (id int PRIMARY KEY, n int, name text);" + large, "c.id = t.n", ""},
		"no index":                {table + "CREATE TABLE c (id int, n int, name text);" + large, "c.id = t.n", "would read the whole of table public.c each time: join finds its rows (c) by no index"},
		"an expression":           {table + "CREATE TABLE c (id int PRIMARY KEY, n int, name text);" + large, "c.id + 0 = t.n", "would read the whole of table public.c"},
		"no index, but small":     {table + "CREATE TABLE c (id int, n int, name text); INSERT INTO c SELECT g, g, 'name' FROM generate_series(1, 200) g;", "c.id = t.n", ""},
		"no condition":            {table + "CREATE TABLE c (id int PRIMARY KEY, n int, name text); INSERT INTO c VALUES (1, 1, 'only')", "true", ""},
		"another could begin":     {table + "CREATE INDEX ON t (n); CREATE TABLE c (id int PRIMARY KEY, n int, name text); CREATE INDEX ON c (n);" + large, "c.id = t.n AND c.n = 7", ""},
		"partitions of both":      {parts + "CREATE TABLE c (id int PRIMARY KEY, n int, name text) PARTITION BY HASH (id); CREATE TABLE c_0 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE c_1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1);" + large, "c.id = t.n", ""},
		"partitions and no index": {parts + "CREATE TABLE c (id int, n int, name text) PARTITION BY HASH (id); CREATE TABLE c_0 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE c_1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1);" + large, "c.id = t.n", "would read the whole of table public.c"},
		"no index of the table":   {strings.Replace(table, "PRIMARY KEY", "", 1) + "CREATE TABLE c (id int PRIMARY KEY, n int, name text);" + large, "c.id = t.n", "would scan table public.t for each batch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				db.Exec(t, c.ddl+"; ANALYZE")
				subject := change.Change{
					Kind: change.Joined, Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "integer"}}, Partitioned: strings.HasPrefix(c.ddl, parts),
					Set:  []change.Assignment{{Column: "name", Type: "text", Base: "text", Expression: "c.name"}},
					Join: &change.Join{From: []change.Source{{Alias: "c", Table: change.Table{Schema: "public", Name: "c"}}}, On: c.on},
				}
				conn := db.Connect(t)
				bound, err := boundary.Bound(t.Context(), conn, subject, nil)
				if err != nil {
					t.Fatal(err)
				}
				err = guard.Check(t.Context(), conn, subject, bound)
				if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !failure.Is(err, failure.Invalid)) {
					t.Fatalf("got %v, want %q", err, c.want)
				}
			})
		})
	}
}
