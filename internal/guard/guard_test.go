package guard_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/guard"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
)

func TestPlans(t *testing.T) {
	columns := func(names ...string) []keyset.Column {
		var key []keyset.Column
		for _, name := range names {
			key = append(key, keyset.Column{Name: name, Type: "integer"})
		}
		return key
	}
	cases := map[string]struct {
		ddl   string
		key   []keyset.Column
		where string
		want  string // "" passes
	}{
		"a primary key":             {"ALTER TABLE t ADD PRIMARY KEY (a)", columns("a"), "", ""},
		"a composite key":           {"ALTER TABLE t ADD PRIMARY KEY (a, b, c)", columns("a", "b", "c"), "", ""},
		"a predicate with an index": {"ALTER TABLE t ADD PRIMARY KEY (a); CREATE INDEX ON t (c) WHERE n < 0", columns("a"), "n < 0", ""},
		"a look-up table":           {"ALTER TABLE t ADD PRIMARY KEY (a); CREATE TABLE look (x int)", columns("a"), "b NOT IN (SELECT x FROM look)", ""},
		"no index":                  {"SELECT", columns("a"), "", "would scan table public.t"},
		"an index in another order": {"CREATE UNIQUE INDEX ON t (b, a)", columns("a", "b"), "", "would scan table public.t"},
		"an index of an expression": {"CREATE UNIQUE INDEX ON t ((a + 0))", columns("a"), "", "would scan table public.t"},
		"an index in another collation": {
			`CREATE UNIQUE INDEX ON t (name COLLATE "POSIX")`,
			[]keyset.Column{{Name: "name", Type: "text"}}, "", "would scan table public.t",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				db.Exec(t, "CREATE TABLE t (a int, b int, c int, n int, name text); "+
					"INSERT INTO t SELECT g, g, g, g, g::text FROM generate_series(1, 5000) g; "+c.ddl+"; ANALYZE t")
				subject := change.Change{
					Kind: change.Set, Table: change.Table{Schema: "public", Name: "t"}, Key: c.key, Where: c.where,
					Set: []change.Assignment{{Column: "n", Type: "integer", Expression: "n + 1"}},
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

// TestASmallTableThatWasNeverAnalysedPasses: a newcomer's first table. Postgres would sort its keys, index or not.
func TestASmallTableThatWasNeverAnalysedPasses(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for _, rows := range []int{1, 100, 1000, 3000} {
			for _, key := range []keyset.Column{{Name: "id", Type: "bigint"}, {Name: "id", Type: "uuid"}} {
				db.Exec(t, fmt.Sprintf("DROP TABLE IF EXISTS t; CREATE TABLE t (id %s PRIMARY KEY, n int) WITH (autovacuum_enabled = off); "+
					"INSERT INTO t SELECT %s FROM generate_series(1, %d) g", key.Type,
					map[string]string{"bigint": "g", "uuid": "md5(g::text)::uuid"}[key.Type], rows))
				subject := change.Change{
					Kind: change.Set, Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{key},
					Set: []change.Assignment{{Column: "n", Type: "integer", Expression: "1"}},
				}
				conn := db.Connect(t)
				bound, err := boundary.Bound(t.Context(), conn, subject, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := guard.Check(t.Context(), conn, subject, bound); err != nil {
					t.Errorf("%d rows by %s: %v", rows, key.Type, err)
				}
			}
		}
	})
}
