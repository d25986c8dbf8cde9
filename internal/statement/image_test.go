package statement_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"
)

// likes are values of a type of which some are equal, or print alike, and are not the same.
var likes = map[string][]string{
	"text": {"a", "A", "", "ä", "a\u0308", " a"}, `text COLLATE "any case"`: {"a", "A", "ä", "a\u0308", ""},
	"character varying(3)": {"a", "a ", "A", ""}, `character varying(3) COLLATE "any case"`: {"a", "A"}, "character(3)": {"a", "a  ", "b"},
	"boolean": {"true", "false"}, "smallint": {"0", "-1"}, "integer": {"0", "-1"}, "bigint": {"0", "-1"}, "oid": {"0", "1"},
	"uuid": {"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"}, "bytea": {`\x`, `\x00`, `\x0000`},
	"date": {"2024-01-01", "infinity"}, "time without time zone": {"00:00", "24:00"}, "timestamp(0) without time zone": {"2024-01-01", "2024-01-01 00:00:01"},
	"timestamp with time zone": {"2024-01-01 00:00Z", "2024-01-01 01:00+01", "2024-01-01 01:00Z"}, "interval": {"1 month", "30 days", "1 day", "24 hours"},
	"numeric": {"1", "1.0", "1.00", "NaN"}, "double precision": {"0", "-0", "NaN"}, "real": {"0", "-0"}, "money": {"1", "2"},
	"time with time zone": {"10:00Z", "11:00+01"}, "json": {`{"a":1}`, `{"a": 1}`}, "jsonb": {`{"a":1}`, `{"a":1.0}`}, "numeric[]": {"{1}", "{1.0}", "{}"},
	"inet": {"10.0.0.1", "10.0.0.1/32", "10.0.0.1/24"}, "bit varying": {"0", "00"}, "small": {"1", "2"}, "label": {"a", "A", "a "},
}

// base is the type under a domain, without its modifier.
func base(sqlType string) string {
	if of, domain := map[string]string{"small": "integer", "label": "text"}[sqlType]; domain {
		return of
	}
	return strings.NewReplacer("(3)", "", "(0)", "").Replace(sqlType)
}

// TestARowIsWrittenUnlessItHoldsTheSame holds the comparison of each type against that of records, image by image.
func TestARowIsWrittenUnlessItHoldsTheSame(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE COLLATION "any case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
			CREATE DOMAIN small AS integer CHECK (VALUE < 9); CREATE DOMAIN label AS text COLLATE "any case"`)
		conn := db.Connect(t)
		for sqlType, values := range likes {
			bare := strings.Split(sqlType, " COLLATE")[0]
			name := change.Table{Schema: "public", Name: "pairs of " + sqlType}
			table := statement.Table(name)
			db.Exec(t, fmt.Sprintf("CREATE TABLE %s (id bigint PRIMARY KEY, a %[2]s, b %[2]s, c integer)", table, sqlType))
			_, err := conn.Exec(t.Context(), fmt.Sprintf(`WITH v AS (SELECT * FROM unnest($1::text[] || NULL::text) AS v)
				INSERT INTO %s SELECT row_number() OVER (), a.v::%[2]s, b.v::%[2]s, 0 FROM v AS a, v AS b`, table, bare),
				values)
			must(t, err)
			c := change.Change{Kind: change.Set, Table: name, Key: []keyset.Column{{Name: "id", Type: "bigint"}}, Set: []change.Assignment{
				{Column: "a", Type: bare, Base: base(bare), Expression: "b"},
				{Column: "c", Type: "integer", Base: "integer", Expression: "0"},
			}}
			var differ int64
			must(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE ROW(a)::record *<> ROW(b)::record").Scan(&differ))
			for _, want := range []int64{differ, 0} {
				query := statement.Plain(c, span(keyset.Point{"0"}, keyset.Point{"1000"}, 0))[0]
				tag, err := conn.Exec(t.Context(), query.SQL, query.Args...)
				must(t, err)
				if tag.RowsAffected() != want {
					t.Errorf("%s: %d rows were written, %d differ: %s", sqlType, tag.RowsAffected(), want, query.SQL)
				}
			}
		}
	})
}
