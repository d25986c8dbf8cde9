package boundary_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// shapes are tables with keys of every kind; each is filled with rows 1 to n.
var shapes = map[string]struct {
	ddl, fill string
	table     string
	key       []keyset.Column
}{
	"bigint, below zero and beyond 2^53": {
		`CREATE TABLE t (id bigint PRIMARY KEY)`,
		`INSERT INTO t SELECT CASE g % 3 WHEN 0 THEN -g WHEN 1 THEN 9007199254740993 + g ELSE g END FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "bigint"}},
	},
	"columns that are printed otherwise than they are cast": {
		`CREATE TABLE t (old boolean, code character(6), id bigint, PRIMARY KEY (old, code, id))`,
		`INSERT INTO t SELECT g % 2 = 0, 'c' || g % 7, g FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "old", Type: "boolean"}, {Name: "code", Type: "character(6)"}, {Name: "id", Type: "bigint"}},
	},
	"uuid": {
		`CREATE TABLE t (id uuid PRIMARY KEY)`,
		`INSERT INTO t SELECT md5(g::text)::uuid FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "uuid"}},
	},
	"text in an ICU collation": {
		`CREATE COLLATION natural_order (provider = icu, locale = 'en-u-kn-true'); CREATE TABLE t (id text COLLATE natural_order PRIMARY KEY)`,
		`INSERT INTO t SELECT (ARRAY['a','B','ä','é','']) [1 + g % 5] || g || repeat(' ', g % 2) FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "text"}},
	},
	"text in a collation where a = A": {
		`CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TABLE t (id text COLLATE ignore_case PRIMARY KEY)`,
		`INSERT INTO t SELECT (ARRAY['a','B','c']) [1 + g % 3] || g FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "text"}},
	},
	"timestamp with time zone": {
		`CREATE TABLE t (id timestamptz PRIMARY KEY)`,
		`INSERT INTO t SELECT '2024-03-31 00:30+00'::timestamptz + g * interval '1.000001 s' FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "timestamp with time zone"}},
	},
	"numeric": {
		`CREATE TABLE t (id numeric PRIMARY KEY)`,
		`INSERT INTO t SELECT (g - 50) * 1.10 FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "numeric"}},
	},
	"sparse, with huge gaps": {
		`CREATE TABLE t (id bigint PRIMARY KEY)`,
		`INSERT INTO t SELECT g::bigint * g * g * 9000000000 FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "bigint"}},
	},
	"one tenant with 15 times the rows of the others": {
		`CREATE TABLE t (tenant int, id bigint, PRIMARY KEY (tenant, id))`,
		`INSERT INTO t SELECT CASE WHEN g % 30 < 15 THEN 7 ELSE g % 30 END, g FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "tenant", Type: "integer"}, {Name: "id", Type: "bigint"}},
	},
	"partitions that take turns in the order of the key": {
		`CREATE TABLE t (id bigint PRIMARY KEY) PARTITION BY HASH (id);
			CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER 0); CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER 1);
			CREATE TABLE t2 PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER 2)`,
		`INSERT INTO t SELECT g FROM generate_series(1, :rows) g`,
		"t", []keyset.Column{{Name: "id", Type: "bigint"}},
	},
	"composite with names that need quotes": {
		`CREATE TABLE "Order ""Items""" ("tenant Id" uuid, created_at timestamptz, "ID" bigint, PRIMARY KEY ("tenant Id", created_at, "ID"))`,
		`INSERT INTO "Order ""Items""" SELECT md5((g % 5)::text)::uuid, '2024-01-01'::timestamptz + (g % 20) * interval '1 day', g FROM generate_series(1, :rows) g`,
		`Order "Items"`, []keyset.Column{{Name: "tenant Id", Type: "uuid"}, {Name: "created_at", Type: "timestamp with time zone"}, {Name: "ID", Type: "bigint"}},
	},
}

func TestChunksPartitionTheKeySpace(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				db.Exec(t, shape.ddl)
				conn := db.Connect(t)
				c := change.Change{Table: change.Table{Schema: "public", Name: shape.table}, Key: shape.key, ChunkRows: 100}
				for _, rows := range []int{0, 1, 99, 100, 101, 200, 1000} {
					exec(t, conn, "TRUNCATE "+pgx.Identifier{shape.table}.Sanitize())
					exec(t, conn, strings.ReplaceAll(shape.fill, ":rows", strconv.Itoa(rows)))
					for _, c.Order = range keyset.Orders() {
						ranges := cutAll(t, conn, c, 3, func() {})
						if want := (rows + 99) / 100; len(ranges) != want {
							t.Fatalf("%s: %d chunks of %d rows, want %d", c.Order, len(ranges), rows, want)
						}
						expectPartition(t, conn, c, ranges, rows)
					}
				}
			})
		})
	}
}

// TestChunksPartitionWhileRowsComeAndGo: the property holds whatever happens between two windows.
func TestChunksPartitionWhileRowsComeAndGo(t *testing.T) {
	db := pgtest.Newest(t)
	db.Exec(t, `CREATE TABLE t (id bigint PRIMARY KEY)`)
	conn := db.Connect(t)
	c := change.Change{Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}}
	rapid.Check(t, func(r *rapid.T) {
		exec(t, conn, "TRUNCATE t")
		exec(t, conn, "INSERT INTO t SELECT DISTINCT (random() * 1000)::int FROM generate_series(1, $1)", rapid.IntRange(1, 300).Draw(r, "rows"))
		c.ChunkRows, c.Order = rapid.Int64Range(1, 50).Draw(r, "chunk rows"), rapid.SampledFrom(keyset.Orders()).Draw(r, "order")
		bound, err := boundary.Bound(t.Context(), conn, c, nil)
		if err != nil {
			r.Fatal(err)
		}
		ranges := cutAll(t, conn, c, rapid.IntRange(1, 5).Draw(r, "window"), func() {
			at := rapid.IntRange(-10, 1010).Draw(r, "at")
			exec(t, conn, "DELETE FROM t WHERE id BETWEEN $1 AND $1 + 30", at)
			exec(t, conn, "INSERT INTO t SELECT generate_series($1::int, $1 + 20) ON CONFLICT DO NOTHING", at+15)
		})
		var within int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM t WHERE id <= $1::text::bigint", bound[0]).Scan(&within); err != nil {
			r.Fatal(err)
		}
		expectPartition(t, conn, c, ranges, within)
	})
}

// cutAll walks to the bound, or down from it, window by window: the ranges follow each other, from end to end.
func cutAll(t *testing.T, conn *pgx.Conn, c change.Change, ranges int, between func()) []keyset.Range {
	t.Helper()
	bound, err := boundary.Bound(t.Context(), conn, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bound == nil {
		return nil
	}
	var all []keyset.Range
	var from keyset.Point
	for {
		window, err := boundary.Cut(t.Context(), conn, c, from, bound, ranges)
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range window.Ranges {
			if left := c.Order.Left(from, bound); c.Order == keyset.Descending && !cut.Hi.Same(left.Hi) || c.Order != keyset.Descending && !cut.Lo.Same(left.Lo) {
				t.Fatalf("range %v does not begin where the last ended, %v", cut, from)
			}
			from = c.Order.Behind(cut)
		}
		all = append(all, window.Ranges...)
		expectKeys(t, conn, c, window)
		if window.Closed != c.Order.Ends(all[len(all)-1], bound) {
			t.Fatalf("closed: %t, behind %v", window.Closed, all[len(all)-1])
		}
		if window.Closed {
			if end := map[bool]keyset.Point{false: bound}[c.Order == keyset.Descending]; !from.Same(end) {
				t.Fatalf("the walk ends at %v, want %v", from, end)
			}
			return all
		}
		between()
	}
}

// expectKeys counts the keys of each range once more: nothing has changed since they were walked.
func expectKeys(t *testing.T, conn *pgx.Conn, c change.Change, window boundary.Window) {
	t.Helper()
	if len(window.Keys) != len(window.Ranges) {
		t.Fatalf("%d ranges, the keys of %d", len(window.Ranges), len(window.Keys))
	}
	for i, r := range window.Ranges {
		condition, args := within(c.Key, r)
		var count int64
		sql := "SELECT count(*) FROM " + pgx.Identifier{c.Table.Schema, c.Table.Name}.Sanitize() + " WHERE " + condition
		if err := conn.QueryRow(context.Background(), sql, args...).Scan(&count); err != nil {
			t.Fatal(err)
		}
		if count != window.Keys[i] {
			t.Fatalf("%d keys are in %v, %d were walked", count, r, window.Keys[i])
		}
	}
}

// expectPartition counts the rows in each range by a row comparison.
func expectPartition(t *testing.T, conn *pgx.Conn, c change.Change, ranges []keyset.Range, rows int) {
	t.Helper()
	total := 0
	for _, r := range ranges {
		condition, args := within(c.Key, r)
		var count int
		sql := "SELECT count(*) FROM " + pgx.Identifier{c.Table.Schema, c.Table.Name}.Sanitize() + " WHERE " + condition
		if err := conn.QueryRow(context.Background(), sql, args...).Scan(&count); err != nil {
			t.Fatal(err)
		}
		total += count
	}
	if total != rows {
		t.Fatalf("%d rows are in the ranges, %d in the table", total, rows)
	}
}

func within(key []keyset.Column, r keyset.Range) (string, []any) {
	var names, lo, hi []string
	var args []any
	bind := func(point keyset.Point, i int) string {
		args = append(args, point[i])
		return fmt.Sprintf("$%d::%s", len(args), key[i].Type)
	}
	for i, column := range key {
		names = append(names, pgx.Identifier{column.Name}.Sanitize())
		hi = append(hi, bind(r.Hi, i))
		if r.Lo != nil {
			lo = append(lo, bind(r.Lo, i))
		}
	}
	row := func(parts []string) string { return "(" + strings.Join(parts, ", ") + ")" }
	condition := row(names) + " <= " + row(hi)
	if lo != nil {
		condition += " AND " + row(names) + " > " + row(lo)
	}
	return condition, args
}

func exec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}
