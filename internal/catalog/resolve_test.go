package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// fits are definitions that resolve, with the key and the assignments that they resolve to.
var fits = map[string]struct {
	source string
	key    []keyset.Column
	set    []change.Assignment
}{
	"a primary key": {
		"table: users\nset: {email_normalized: lower(btrim(email)), visits: visits + 1, plan: \"'free'\"}",
		[]keyset.Column{{Name: "id", Type: "bigint"}},
		[]change.Assignment{
			{Column: "email_normalized", Type: "text", Expression: "lower(btrim(email))"},
			{Column: "visits", Type: "bigint", Expression: "visits + 1"},
			{Column: "plan", Type: "character varying(10)", Expression: "'free'"},
		},
	},
	"mixed case, spaces, dots and double quotes": {
		"table: '\"Sales Dept\".\"Order \"\"Items\"\"\"'\nset: {a.b: '\"Order \"\"Items\"\"\".\"a.b\" || ''x''', Total: '\"Total\" * 2'}",
		[]keyset.Column{{Name: "Line No", Type: "integer"}},
		[]change.Assignment{
			{Column: "a.b", Type: "text", Expression: `"Order ""Items"""."a.b" || 'x'`},
			{Column: "Total", Type: "numeric", Expression: `"Total" * 2`},
		},
	},
	"a composite key": {
		"table: events\nset:\n  n: coalesce(n, 0)\nwhere: payload ? 'a'",
		[]keyset.Column{{Name: "tenant_id", Type: "uuid"}, {Name: "created_at", Type: "timestamp with time zone"}, {Name: "id", Type: "bigint"}},
		[]change.Assignment{{Column: "n", Type: "integer", Expression: "coalesce(n, 0)"}},
	},
	"text in an ICU collation": {
		"table: words\nset: {length: length(word)}",
		[]keyset.Column{{Name: "word", Type: "text"}},
		[]change.Assignment{{Column: "length", Type: "integer", Expression: "length(word)"}},
	},
	"text in a nondeterministic collation": {
		"table: names\nset: {length: length(name)}",
		[]keyset.Column{{Name: "name", Type: "text"}},
		[]change.Assignment{{Column: "length", Type: "integer", Expression: "length(name)"}},
	},
	"a domain over a domain": {
		"table: numbered\nset: {label: n::text}",
		[]keyset.Column{{Name: "n", Type: "public.small_positive"}},
		[]change.Assignment{{Column: "label", Type: "text", Expression: "n::text"}},
	},
	"an enum": {
		"table: moods\nset: {label: upper(m::text)}",
		[]keyset.Column{{Name: "m", Type: "public.mood"}},
		[]change.Assignment{{Column: "label", Type: "text", Expression: "upper(m::text)"}},
	},
	"char": {
		"table: codes\nset: {v: c || '-'}",
		[]keyset.Column{{Name: "c", Type: "character(5)"}},
		[]change.Assignment{{Column: "v", Type: "character varying(20)", Expression: "c || '-'"}},
	},
	"a unique index, descending, that includes another column": {
		"table: codes\nkey: v\nset: {label: c}",
		[]keyset.Column{{Name: "v", Type: "character varying(20)"}},
		[]change.Assignment{{Column: "label", Type: "text", Expression: "c"}},
	},
	"the other key types": {
		"table: everything\nset: {label: \"encode(b, 'hex')\"}",
		[]keyset.Column{
			{Name: "b", Type: "bytea"}, {Name: "d", Type: "date"}, {Name: "t", Type: "timestamp without time zone"},
			{Name: "nu", Type: "numeric(20,4)"}, {Name: "s", Type: "smallint"},
		},
		[]change.Assignment{{Column: "label", Type: "text", Expression: "encode(b, 'hex')"}},
	},
	"a partitioned table": {
		"table: measures\nset: {value: value * 2}",
		[]keyset.Column{{Name: "sensor", Type: "integer"}, {Name: "at", Type: "timestamp with time zone"}},
		[]change.Assignment{{Column: "value", Type: "double precision", Expression: "value * 2"}},
	},
	"parameters, twice and in any order": {
		"table: users\nset: {email: \"@b || email || @a || @b\", visits: \"@n\"}\nwhere: created_at>=@z - interval '1 day'\n" +
			"params: {a: text, z: {type: timestamptz, default: 2024-01-01}, b: text, n: {type: int, default: 1}}",
		[]keyset.Column{{Name: "id", Type: "bigint"}},
		[]change.Assignment{
			{Column: "email", Type: "text", Expression: "@b || email || @a || @b"},
			{Column: "visits", Type: "bigint", Expression: "@n"},
		},
	},
}

// indexed names the index that a written column is in.
var indexed = map[string]string{"char": "codes_v", "a unique index, descending, that includes another column": "codes_v"}

func TestResolve(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, read(t, "testdata/schema.sql"))
		conn := connect(t, db)
		for name, fit := range fits {
			d := parse(t, "name: a\n"+fit.source)
			resolved, err := catalog.Resolve(t.Context(), conn, d, arguments(t, d))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := change.Change{
				Kind: change.Set, Table: d.Table, Key: fit.key, Set: withBases(fit.set), Where: d.Where.String(),
				Params: arguments(t, d), ChunkRows: 100_000, Undo: true,
				Partitioned: name == "a partitioned table", RowBytes: resolved.Change.RowBytes, Indexed: indexed[name], Verify: resolved.Change.Verify,
			}
			if diff := cmp.Diff(want, resolved.Change); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			prepareUpdate(t, conn, name, resolved.Change)
		}
	})
}

// withBases adds the types without modifiers: no column here that is set has a domain.
func withBases(set []change.Assignment) []change.Assignment {
	based := slices.Clone(set)
	for i := range based {
		based[i].Base, _, _ = strings.Cut(based[i].Type, "(")
	}
	return based
}

// prepareUpdate holds the change against the statement that workers will run.
func prepareUpdate(t *testing.T, conn *pgx.Conn, name string, c change.Change) {
	t.Helper()
	for _, query := range statement.Plain(c, statement.Span{Range: keyset.Range{Hi: make(keyset.Point, len(c.Key))}}) {
		if _, err := conn.PgConn().Prepare(t.Context(), "", query.SQL, nil); err != nil {
			t.Errorf("%s: prepare %s: %v", name, query.SQL, err)
		}
	}
}

// TestNamesDoNotDependOnTheSearchPath: a worker may connect with another one than the planner.
func TestNamesDoNotDependOnTheSearchPath(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, "CREATE SCHEMA shop; CREATE DOMAIN shop.number AS int; CREATE TABLE shop.t (id shop.number PRIMARY KEY, n shop.number); "+
		"CREATE FUNCTION shop.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'")
	conn := connect(t, db)
	if _, err := conn.Exec(t.Context(), "SET search_path = shop"); err != nil {
		t.Fatal(err)
	}
	d := parse(t, "name: a\ntable: shop.t\nset: {n: twice(n)}\n")
	resolved, err := catalog.Resolve(t.Context(), conn, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resolved.Change.Key[0].Type + " " + resolved.Change.Set[0].Type; got != "shop.number shop.number" {
		t.Errorf("types are %s", got)
	}
	var path string
	if err := conn.QueryRow(t.Context(), "SHOW search_path").Scan(&path); err != nil || path != "shop" {
		t.Errorf("search_path is %s afterwards, %v", path, err)
	}
}

func TestVolatile(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"n + 1": false, "lower(x)": false, "now()": false, "steady(n)": false, "n + @p": false, "(SELECT max(m.n) FROM t AS m)": false,
		"CASE WHEN n > 0 THEN 1 END": false, "current_timestamp": false, "NULL": false,
		"gen_random_uuid()": true, "random()": true, "clock_timestamp()": true, "nextval('numbers')": true, "careless(n)": true,
		"n + (SELECT random() FROM t LIMIT 1)": true, "CASE WHEN n > @p THEN random() END": true, "timeofday()": true,
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for _, ddl := range []string{
			"CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, x text, target text)",
			"CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, x text, target text) PARTITION BY HASH (id); " +
				"CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
		} {
			db.Exec(t, "DROP TABLE IF EXISTS t; "+ddl+"; CREATE SEQUENCE IF NOT EXISTS numbers; "+
				"CREATE OR REPLACE FUNCTION careless(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN x; END'; "+
				"CREATE OR REPLACE FUNCTION steady(x int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN x; END'")
			conn := connect(t, db)
			for expression, want := range cases {
				source := fmt.Sprintf("name: a\ntable: t\nset:\n  target: |\n    (%s)::text\nwhere: n <> @p\nparams: {p: {type: int, default: 1}}\n", expression)
				d := parse(t, source)
				resolved, err := catalog.Resolve(t.Context(), conn, d, arguments(t, d))
				if err != nil || resolved.Change.Volatile != want {
					t.Errorf("%s: volatile is %v, want %v; %v", expression, resolved.Change.Volatile, want, err)
				}
			}
			if last := sequenceValue(t, conn); last {
				t.Error("nextval was called")
			}
		}
	})
}

func sequenceValue(t *testing.T, conn *pgx.Conn) (called bool) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT is_called FROM numbers").Scan(&called); err != nil {
		t.Fatal(err)
	}
	return called
}
