package batch_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

// columns are types whose values are easily damaged on the way through text, with values and what a run makes of them.
var columns = map[string]struct{ ddl, values, set string }{
	"integer":             {"int", "CASE WHEN g % 3 = 0 THEN NULL ELSE g - 50 END", "coalesce(v, 0) + 1"},
	"numeric":             {"numeric", "(ARRAY['1.0', '1.00', 'NaN', '0', '-0.000', '123456789012345678901234567890.123456789'])[1 + g % 6]::numeric", "v + 1"},
	"float":               {"double precision", "(ARRAY['NaN', 'Infinity', '-Infinity', '-0', '0', '0.1', '1e-307', '1.7976931348623157e308', '5e-324'])[1 + g % 9]::float8", "0.30000000000000004"},
	"real":                {"real", "(ARRAY['NaN', '-0', '0.1', '3.4028235e38', '1e-45'])[1 + g % 5]::real", "1"},
	"text":                {"text", `(ARRAY['', ' ', 'a''b"c\d', E'\n\t', 'NULL', '{1,2}', 'ä😀', NULL])[1 + g % 8]`, "coalesce(v, 'null') || '!'"},
	"wide text":           {"text", "CASE WHEN g % 40 = 0 THEN (SELECT string_agg(md5(g::text || i::text), '') FROM generate_series(1, 32768) i) ELSE 'x' END", "upper(v)"},
	"bytea":               {"bytea", `(ARRAY['', '\x00', '\x00ff5c27', NULL])[1 + g % 4]::bytea`, "v || '\\x01'"},
	"jsonb":               {"jsonb", `(ARRAY['null', '{}', '{"a": 1.0, "b": [1, 2.50]}', '"x"', NULL])[1 + g % 5]::jsonb`, `jsonb_build_object('was', v)`},
	"json":                {"json", `(ARRAY['{"a":1, "a":2}', '{ "b" :1}', NULL])[1 + g % 3]::json`, `json_build_object('was', v)`},
	"array":               {"int[]", `(ARRAY['{}', '{1,NULL,3}', '[2:3]={7,8}', '{{1,2},{3,4}}', NULL])[1 + g % 5]::int[]`, "'{9}'"},
	"array of text":       {"text[]", `CASE g % 4 WHEN 0 THEN ARRAY['a,b', '"', NULL, 'NULL', ''] WHEN 1 THEN '{}' WHEN 2 THEN ARRAY['x'] END`, "ARRAY['y']"},
	"enum":                {"mood", "(ARRAY['sad', 'so so', NULL])[1 + g % 3]::mood", "'happy'"},
	"range":               {"tstzrange", `(ARRAY['empty', '[2024-01-01 00:00:00.000001+00,)', '(,)', NULL])[1 + g % 4]::tstzrange`, "'[2020-01-01,2021-01-01)'"},
	"timestamptz":         {"timestamptz", `(ARRAY['infinity', '-infinity', '2024-02-29 12:34:56.789012+05:30', '0044-03-15 00:00:00+00 BC', NULL])[1 + g % 5]::timestamptz`, "'2024-01-01'"},
	"interval":            {"interval", `(ARRAY['1 mon -1 day 00:00:00.000001', '-1 year', NULL])[1 + g % 3]::interval`, "'1 hour'"},
	"char":                {"char(5)", "(ARRAY['a', 'a    ', '', NULL])[1 + g % 4]", "'b'"},
	"char without end":    {"bpchar", "(ARRAY['a', 'a    ', '', NULL])[1 + g % 4]::bpchar", "'b'"},
	"domain":              {"word", "(ARRAY['a', ' b ', NULL])[1 + g % 3]::word", "'c'"},
	"composite type":      {"pair", `(ARRAY['(1,x)', '(,"")', '(,)', NULL])[1 + g % 4]::pair`, "ROW(2, 'y')::pair"},
	"boolean":             {"boolean", "(ARRAY[true, false, NULL])[1 + g % 3]", "NOT coalesce(v, false)"},
	"uuid":                {"uuid", "CASE WHEN g % 2 = 0 THEN md5(g::text)::uuid END", "gen_random_uuid()"},
	"to NULL":             {"text", "'x' || g", "NULL"},
	"text, odd collation": {"text COLLATE same", "(ARRAY['a', 'A', 'b'])[1 + g % 3]", "lower(v)"},
}

const types = `CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy'); CREATE DOMAIN word AS text CHECK (value <> 'x');
	CREATE TYPE pair AS (n int, t text);
	CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`

// itself is the column, in its expression.
var itself = regexp.MustCompile(`\bv\b`)

// everyType is a table with a column of each type, and a change that sets them all; beside them a column that was NULL
// and a counter. A volatile expression has a run of its own: it takes the comparison out of the statement.
func everyType(volatile bool) (ddl, definition string) {
	var declared, values, set strings.Builder
	for i, name := range slices.Sorted(maps.Keys(columns)) {
		c := columns[name]
		if strings.Contains(c.set, "gen_random_uuid") != volatile {
			continue
		}
		column := fmt.Sprintf("v%d", i)
		fmt.Fprintf(&declared, ", %s %s", column, c.ddl)
		fmt.Fprintf(&values, ", %s", c.values)
		fmt.Fprintf(&set, "  %s: |\n    %s\n", column, itself.ReplaceAllString(c.set, column))
	}
	return fmt.Sprintf(`CREATE TABLE t (id bigint PRIMARY KEY, fresh text, n int NOT NULL%s);
		INSERT INTO t SELECT g, NULL, g%s FROM generate_series(-40, 80) g; ANALYZE t`, declared.String(), values.String()),
		"table: t\nset:\n  fresh: \"'f' || id\"\n  n: n + 1\n" + set.String()
}

// TestARollbackIsTheIdentity on every type.
func TestARollbackIsTheIdentity(t *testing.T) {
	for name, volatile := range map[string]bool{"repeatable": false, "volatile": true} {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				ddl, definition := everyType(volatile)
				b := reversible(t, db, types+ddl, definition)
				before := b.image(t)
				b.forward(t, 50)
				if b.number(t, "SELECT affected FROM backfill.ledger") != 121 || b.number(t, "SELECT count(*) FROM t WHERE fresh = 'f' || id") != 121 {
					t.Fatal("the run has not written every row")
				}
				b.back(t, 30)
				if diff := cmp.Diff(before, b.image(t)); diff != "" {
					t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
				}
				if restored := b.number(t, "SELECT restored FROM backfill.ledger"); restored != 121 {
					t.Fatalf("%d rows restored, %d conflicts", restored, b.number(t, "SELECT conflicts FROM backfill.ledger"))
				}
				if left := b.number(t, "SELECT count(*) FROM backfill.undo"); left != 0 {
					t.Fatalf("%d undo rows are left", left)
				}
			})
		})
	}
}

// TestAnExpressionIsComputedOnceARow where undo needs a look at the row before it is written: an expression may be dear.
// Postgres 18 writes in one step, and computes it for the comparison and for the row.
func TestAnExpressionIsComputedOnceARow(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, `CREATE SEQUENCE calls; CREATE TABLE t (id int PRIMARY KEY, short varchar(3), n int);
			INSERT INTO t SELECT g, 'a', g FROM generate_series(1, 100) g; ANALYZE t;
			CREATE FUNCTION dear(n int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM nextval('calls'); RETURN n + 1; END $$`,
			"table: t\nset: {n: dear(n), short: \"'b'\"}\nwhere: id > 10\n")
		b.forward(t, 30)
		want := int64(90)
		if db.Major == "18" {
			want *= 2
		}
		if calls := b.number(t, "SELECT last_value FROM calls"); calls != want {
			t.Errorf("computed %d times, want %d", calls, want)
		}
		if right := b.number(t, "SELECT count(*) FROM t WHERE (n, short) = (id + (id > 10)::int, CASE WHEN id > 10 THEN 'b' ELSE 'a' END)"); right != 100 {
			t.Errorf("%d of 100 rows are right", right)
		}
	})
}
