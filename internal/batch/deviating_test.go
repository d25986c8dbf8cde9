package batch_test

import (
	"slices"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// keyed are tables of 600 rows, one in three out of scope, with keys of each sort. A row is known by n.
var keyed = map[string]struct{ ddl, source string }{
	"integer": {`CREATE TABLE t (k integer PRIMARY KEY, n int, raw text, done text);
		INSERT INTO t SELECT g - 300, g, CASE WHEN g % 3 > 0 THEN 'Row' || g END FROM generate_series(1, 600) g`, "set: {done: lower(raw)}\nwhere: raw IS NOT NULL\n"},
	"text": {`CREATE TABLE t (k text PRIMARY KEY, n int, raw text, done text);
		INSERT INTO t SELECT CASE g % 4 WHEN 0 THEN 'it''s \' WHEN 1 THEN E'Ü\n' WHEN 2 THEN E'\u202e' ELSE '' END || g, g, CASE WHEN g % 3 > 0 THEN 'Row' || g END
			FROM generate_series(1, 600) g`, "set: {done: lower(raw)}\nwhere: raw IS NOT NULL\n"},
	"uuid": {`CREATE TABLE t (k uuid PRIMARY KEY, n int, raw text, done numeric);
		INSERT INTO t SELECT md5(g::text)::uuid, g, CASE WHEN g % 3 > 0 THEN 'Row' || g END FROM generate_series(1, 600) g`, "set: {done: \"substr(raw, 4)::numeric\"}\nwhere: raw IS NOT NULL\n"},
	"timestamp": {`CREATE TABLE t (k timestamptz PRIMARY KEY, n int, raw timestamptz, done text);
		INSERT INTO t SELECT timestamptz '2024-03-30 22:00+01' + g * interval '1 minute 0.000001 s', g, CASE WHEN g % 3 > 0 THEN timestamptz '2024-01-01' + g * interval '1 day' END
			FROM generate_series(1, 600) g`, "set: {done: raw::text}\nwhere: raw > timestamptz '2023-01-01'\nrepeatable: true\n"},
	"composite": {`CREATE TABLE t (a uuid, b text COLLATE "C", c timestamp, n int, raw text, done jsonb, PRIMARY KEY (a, b, c));
		INSERT INTO t SELECT md5((g % 7)::text)::uuid, 'b' || g % 5, timestamp '2024-01-01' + g * interval '1 hour', g, CASE WHEN g % 3 > 0 THEN 'Row' || g END
			FROM generate_series(1, 600) g`, "set: {done: to_jsonb(raw)}\nwhere: raw IS NOT NULL\n"},
	"partitioned": {`CREATE TABLE t (a date, b bigint, n int, raw text, done bytea, PRIMARY KEY (a, b)) PARTITION BY RANGE (a);
		CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-07-01'); CREATE TABLE t2 PARTITION OF t DEFAULT;
		INSERT INTO t SELECT date '2024-01-01' + g % 365, g, g, CASE WHEN g % 3 > 0 THEN 'Row' || g END FROM generate_series(1, 600) g`,
		"set: {done: \"convert_to(raw, 'UTF8')\"}\nwhere: raw IS NOT NULL\n"},
	"a parameter": {`CREATE TABLE t (k numeric PRIMARY KEY, n int, raw text, done text);
		INSERT INTO t SELECT g + 0.50, g, CASE WHEN g % 3 > 0 THEN 'Row' || g END FROM generate_series(1, 600) g`,
		"params: {what: text}\nset: {done: raw || @what}\nwhere: raw IS NOT NULL\n"},
}

// changed are the rows that a user changes, of those in scope.
const changed = "n % 11 = 5 AND n % 3 > 0"

// awkward is the session of a person with other settings than a worker, and with functions of other meanings in its path.
const awkward = `SET timezone = 'Pacific/Chatham'; SET datestyle = 'German, DMY'; SET intervalstyle = 'sql_standard'; SET bytea_output = 'escape'; SET extra_float_digits = 0;
	CREATE SCHEMA IF NOT EXISTS own; CREATE OR REPLACE FUNCTION own.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'; SET search_path = own, pg_catalog, public`

// TestAScriptListsExactlyWhatDeviates: for each half of the run, the rows that were changed since within it, and as many as the verification counts.
func TestAScriptListsExactlyWhatDeviates(t *testing.T) {
	t.Parallel()
	for name, table := range keyed {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, table.ddl, "table: t\n"+table.source)
				if values, why := b.change.Verifies(); !values {
					t.Fatal(why)
				}
				b.change.Params = []change.Param{{Name: "what", Type: "text", Value: `it's \ it`}}
				b.forward(t, 100)
				person := db.Connect(t)
				_, err := person.Exec(t.Context(), awkward)
				must(t, err)
				if found := b.deviates(t, person, b.halves(t)...); len(found) > 0 {
					t.Fatalf("nothing was changed: %q", found)
				}
				b.exec(t, "UPDATE t SET done = CASE WHEN n % 2 = 0 THEN (SELECT max(done::text) FROM t)::"+b.change.Set[0].Type+" END WHERE n % 11 = 5")
				want := b.keys(t, changed)
				if found := b.deviates(t, person, b.halves(t)...); !slices.Equal(found, want) {
					t.Errorf("listed are\n%q, changed were\n%q", found, want)
				}
				if counted := b.verify(t, "arn", false, 70); counted.Deviating != int64(len(want)) {
					t.Errorf("%d were changed, %d deviate", len(want), counted.Deviating)
				}
			})
		})
	}
}

// halves are two ranges that are the run together. They meet at a row that deviates.
func (b *reversal) halves(t *testing.T) []keyset.Range {
	t.Helper()
	var middle keyset.Point
	must(t, b.beside.QueryRow(t.Context(), "SELECT ARRAY["+b.texts()+"] FROM t WHERE "+changed+" ORDER BY "+b.order()+" OFFSET 17 LIMIT 1").Scan(&middle))
	return []keyset.Range{{Hi: middle}, {Lo: middle, Hi: b.chunk.Hi}}
}

// texts are the key's columns as text, under the settings of the ledger.
func (b *reversal) texts() string {
	return strings.ReplaceAll(b.order(), ",", "::text,") + "::text"
}

func (b *reversal) order() string { return strings.Join(keyset.Names(b.change.Key), ",") }

// deviates runs the script of each range as a person does.
func (b *reversal) deviates(t *testing.T, person *pgx.Conn, ranges ...keyset.Range) (keys []string) {
	t.Helper()
	for _, within := range ranges {
		keys = append(keys, pgtest.List(t, person, statement.Deviating(b.change, within, nil, []string{"public"}))...)
	}
	return keys
}

// keys lists rows in the order of their keys.
func (b *reversal) keys(t *testing.T, where string) []string {
	t.Helper()
	rows, _ := b.conn.Query(t.Context(), "SELECT concat_ws('|',"+b.texts()+") FROM t WHERE "+where+" ORDER BY "+b.order())
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return keys
}
