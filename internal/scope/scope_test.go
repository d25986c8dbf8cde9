package scope_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/scope"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// id is the key of the tables below; tenant its leading column where it is composite.
var (
	id     = keyset.Column{Name: "id", Type: "bigint"}
	tenant = keyset.Column{Name: "tenant", Type: "text"}
)

// table is one of 40,000 rows, of which the ids 9,001, 9,002 and 31,000 are old.
const table = `CREATE TABLE t (tenant text NOT NULL DEFAULT 'a', id bigint NOT NULL, state text NOT NULL, n int, note text);
	INSERT INTO t SELECT chr(97 + g / 10000), g, CASE WHEN g IN (9001, 9002, 31000) THEN 'old' ELSE 'new' END, g, repeat('x', 200)
	FROM generate_series(1, 40000) g;`

func subject(where string, key ...keyset.Column) change.Change {
	return change.Change{Kind: change.Set, Table: change.Table{Schema: "public", Name: "t"}, Key: key, Where: where, ChunkRows: 2000,
		Set:    []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}},
		Params: []change.Param{{Name: "state", Type: "text", Value: "old"}}}
}

// TestWhereItPaysToAsk: of 16 ranges of 2,000 keys, those up to 10,000 and 32,000 have a row in scope.
func TestWhereItPaysToAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ddl, where string
		key        []keyset.Column
		asks       bool
	}{
		"a partial index on the key":           {"CREATE INDEX ON t (id) WHERE state = 'old'", "state = 'old'", []keyset.Column{id}, true},
		"a partial index on another column":    {"CREATE INDEX ON t (n) WHERE state = 'old'", "state = 'old'", []keyset.Column{id}, true},
		"an index on a column of where":        {"CREATE INDEX ON t (state)", "state = @state AND n > 0", []keyset.Column{id}, true},
		"an index on that column and the key":  {"CREATE INDEX ON t (state, id)", "state = 'old'", []keyset.Column{id}, true},
		"an index on an expression of where":   {"CREATE INDEX ON t ((state <> 'new'))", "(state <> 'new')", []keyset.Column{id}, true},
		"a look-up table in where":             {"CREATE INDEX ON t (state); CREATE TABLE look AS SELECT 1 AS x", "state = 'old' AND n NOT IN (SELECT x FROM look)", []keyset.Column{id}, false},
		"one value of the table in where":      {"CREATE INDEX ON t (state)", "state = 'old' AND n > (SELECT min(n) FROM t)", []keyset.Column{id}, false},
		"a composite key":                      {"CREATE INDEX ON t (tenant, id) WHERE state = 'old'", "state = 'old'", []keyset.Column{tenant, id}, true},
		"a composite key, another index":       {"CREATE INDEX ON t (state)", "state = 'old'", []keyset.Column{tenant, id}, true},
		"no where":                             {"CREATE INDEX ON t (state)", "", []keyset.Column{id}, false},
		"no index":                             {"SELECT", "state = 'old'", []keyset.Column{id}, false},
		"an index that where does not imply":   {"CREATE INDEX ON t (id) WHERE state = 'old'", "state <> 'new'", []keyset.Column{id}, false},
		"where matches most rows":              {"CREATE INDEX ON t (state)", "state = 'new'", []keyset.Column{id}, false},
		"where is volatile":                    {"CREATE INDEX ON t (id) WHERE state = 'old'", "state = 'old' AND random() < 2", []keyset.Column{id}, false},
		"an index on the key and many a thing": {"CREATE INDEX ON t (id, state, note)", "state = 'old'", []keyset.Column{id}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				db.Exec(t, table+"ALTER TABLE t ADD PRIMARY KEY ("+strings.Join(keyset.Names(c.key), ", ")+");"+c.ddl+"; ANALYZE t")
				conn := db.Connect(t)
				window := cut(t, conn, subject(c.where, c.key...))
				empty, err := scope.Empty(t.Context(), conn, subject(c.where, c.key...), window.Ranges)
				must(t, err)
				if empty != nil != c.asks {
					t.Fatalf("asked: %v", empty != nil)
				}
				var want []bool
				for i := range window.Ranges {
					if c.asks {
						want = append(want, i != 4 && i != 15)
					}
				}
				if diff := cmp.Diff(want, empty); diff != "" {
					t.Fatal(diff)
				}
			})
		})
	}
}

// TestARunThatGoesDownIsAsked in its own order: the ranges come from the top down, and so do the answers.
func TestARunThatGoesDownIsAsked(t *testing.T) {
	t.Parallel()
	for _, key := range [][]keyset.Column{{id}, {tenant, id}} {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			db.Exec(t, table+"ALTER TABLE t ADD PRIMARY KEY ("+strings.Join(keyset.Names(key), ", ")+"); CREATE INDEX ON t (id) WHERE state = 'old'; ANALYZE t")
			conn, c := db.Connect(t), subject("state = 'old'", key...)
			c.Order = keyset.Descending
			window := cut(t, conn, c) // 38,001 to 40,000 is the first, 8,001 to 10,000 the last
			before := slices.Clone(window.Ranges)
			empty, err := scope.Empty(t.Context(), conn, c, window.Ranges)
			must(t, err)
			want := make([]bool, 16)
			for i := range want {
				want[i] = i != 4 && i != 15
			}
			if diff := cmp.Diff(want, empty); diff != "" || cmp.Diff(before, window.Ranges) != "" {
				t.Fatal(diff)
			}
		})
	}
}

// TestTheQuestionReadsTheIndexAndLittleElse: what was planned is what is done, by the scans of each index.
func TestTheQuestionReadsTheIndexAndLittleElse(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, table+"ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX by_state ON t (id) WHERE state = 'old'; ANALYZE t")
		conn := db.Connect(t)
		c := subject("state = 'old'", id)
		window := cut(t, conn, c)
		scans := func(index string) (n int64) {
			_, err := conn.Exec(t.Context(), "SELECT pg_stat_force_next_flush()")
			must(t, err)
			must(t, conn.QueryRow(t.Context(), "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1", index).Scan(&n))
			return n
		}
		key, partial := scans("t_pkey"), scans("by_state")
		empty, err := scope.Empty(t.Context(), conn, c, window.Ranges)
		must(t, err)
		if !slices.Contains(empty, true) || scans("by_state") != partial+1 || scans("t_pkey") != key {
			t.Fatalf("%v: %d scans of the partial index, %d of the key's", empty, scans("by_state")-partial, scans("t_pkey")-key)
		}
	})
}

// TestWithoutAnAnswerThereIsAWord for it: the time is over, or where fails on a row. The connection goes on.
func TestWithoutAnAnswerThereIsAWord(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, table+`ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX ON t (id) WHERE state = 'old'; ANALYZE t;
			CREATE FUNCTION slow(n int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT pg_sleep(60) IS NOT NULL'`)
		conn := db.Connect(t)
		for where, state := range map[string]string{
			"state = 'old' AND 1 / (n - 9001) > 0":  "22012",
			"state = 'old' AND note::int > 0":       "22P02",
			"state = 'old' AND no_such_column = 1":  "42703",
			"state = 'old' AND slow(n)":             "57014",
			"state = 'old' AND note = 'x' || lo(n)": "42883",
		} {
			c := subject(where, id)
			_, err := scope.Empty(t.Context(), conn, c, cut(t, conn, c).Ranges)
			var raised interface{ SQLState() string }
			if !errors.Is(err, scope.ErrNoAnswer) || !errors.As(err, &raised) || raised.SQLState() != state {
				t.Errorf("%s: %v", where, err)
			}
		}
	})
}

// TestWhereMeansWhatItMeansToAWorker: under the settings of a batch, not those of the database.
func TestWhereMeansWhatItMeansToAWorker(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, table+`ALTER TABLE t ADD at timestamptz DEFAULT '2024-01-01 00:30+00', ADD PRIMARY KEY (id); CREATE INDEX ON t (id) WHERE state = 'old'; ANALYZE t`)
	conn := db.Connect(t)
	_, err := conn.Exec(t.Context(), "SET timezone = 'America/New_York'")
	must(t, err)
	c := subject("state = 'old' AND at::date = '2024-01-01'", id)
	empty, err := scope.Empty(t.Context(), conn, c, cut(t, conn, c).Ranges)
	must(t, err)
	if len(empty) != 16 || empty[4] || empty[15] {
		t.Fatalf("%v", empty)
	}
}

// TestAStretchWhereManyMatchCostsNoMore: the catalog's figures are of a time when no row matched; of 12,000 that match by
// now, 10,000 are read, and what comes after them counts as if it matched.
func TestAStretchWhereManyMatchCostsNoMore(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE TABLE t (id bigint PRIMARY KEY, state text NOT NULL, n int) WITH (autovacuum_enabled = off);
			INSERT INTO t SELECT g, 'new', g FROM generate_series(1, 32000) g;
			CREATE INDEX ON t (id) WHERE state = 'old'; ANALYZE t; UPDATE t SET state = 'old' WHERE id > 2000 AND id <= 14000`)
		conn := db.Connect(t)
		c := subject("state = 'old'", id)
		empty, err := scope.Empty(t.Context(), conn, c, cut(t, conn, c).Ranges)
		must(t, err)
		if diff := cmp.Diff(append([]bool{true}, make([]bool, 15)...), empty); diff != "" {
			t.Fatal(diff)
		}
	})
}

// cut cuts 16 ranges from the first key on.
func cut(t *testing.T, conn *pgx.Conn, c change.Change) boundary.Window {
	t.Helper()
	bound, err := boundary.Bound(t.Context(), conn, c, nil)
	must(t, err)
	window, err := boundary.Cut(t.Context(), conn, c, nil, bound, 16)
	must(t, err)
	if len(window.Ranges) != 16 {
		t.Fatalf("%d ranges", len(window.Ranges))
	}
	return window
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
