package batch_test

import (
	"context"
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/transform"

	"github.com/google/go-cmp/cmp"
)

// valued has columns of all types that functions work on.
const valued = types + `CREATE DOMAIN small AS integer CHECK (value < 1000);
	CREATE TABLE t (id bigint PRIMARY KEY, a text, b varchar(8), c char(5), d mood, e smallint, f int, g bigint, h numeric, i numeric(6,2), j real, k double precision,
		l boolean, m date, n timestamp, o timestamptz, p uuid, q bytea, t json, s jsonb, u word, v small, w bpchar, x text COLLATE same);
	INSERT INTO t (id) SELECT generate_series(1, 40);
	INSERT INTO t SELECT g, (ARRAY['', ' ', 'a''b"c\d', E'\n\t', 'NULL', '{1,2}', 'ä😀', NULL])[1 + g % 8], 'b', (ARRAY['a', 'a    ', '', NULL])[1 + g % 4], (ARRAY['sad', 'so so'])[1 + g % 2]::mood,
		-32768, g - 100, 9007199254740993, (ARRAY['1.0', '1.00', 'NaN', '-0.000', '123456789012345678901234567890.123456789'])[1 + g % 5]::numeric, 1.5,
		(ARRAY['NaN', '-0', '0.1', '3.4028235e38', '1e-45'])[1 + g % 5]::real, (ARRAY['NaN', 'Infinity', '-0', '0.1', '1e-307', '5e-324'])[1 + g % 6]::float8,
		g % 2 = 0, (ARRAY['2024-02-29', '0044-03-15 BC', '12024-01-01'])[1 + g % 3]::date, '2024-01-01 00:00:00.000001',
		(ARRAY['2024-02-29 12:34:56.789012+05:30', '0044-03-15 00:00:00+00 BC'])[1 + g % 2]::timestamptz, md5(g::text)::uuid,
		(ARRAY['', '\x00', '\x00ff5c27'])[1 + g % 3]::bytea, '{"a":1, "a":2}', (ARRAY['null', '{"a": 1.0, "b": [1, 2.50]}'])[1 + g % 2]::jsonb, ' b ', 7,
		(ARRAY['a', 'a    '])[1 + g % 2]::bpchar, 'A' FROM generate_series(41, 140) g; ANALYZE t`

// echo takes each value as Go has it, and gives it back; every other row as it is, else with small changes.
func echo(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
	for _, row := range rows {
		c := row.Change()
		set := func(column string, ok bool, value transform.Value) {
			if !ok {
				value = transform.Null()
			}
			c.Set(column, value)
		}
		for _, column := range []string{"a", "b", "c", "d", "h", "i", "u", "w", "x"} {
			value, ok := row.Text(column)
			set(column, ok, transform.Text(value))
		}
		for _, column := range []string{"e", "f", "g", "v"} {
			value, ok := row.Int(column)
			set(column, ok, transform.Int(value))
		}
		for _, column := range []string{"j", "k"} {
			value, ok := row.Float(column)
			set(column, ok, transform.Float(value))
		}
		for _, column := range []string{"m", "n", "o"} {
			value, ok := row.Time(column)
			set(column, ok, transform.Time(value))
		}
		for _, column := range []string{"t", "s"} {
			value, ok := row.JSON(column)
			set(column, ok, transform.JSON(value))
		}
		l, ok := row.Bool("l")
		set("l", ok, transform.Bool(l))
		p, ok := row.UUID("p")
		set("p", ok, transform.UUID(p))
		q, ok := row.Bytes("q")
		set("q", ok, transform.Bytes(q))
		changes = append(changes, c)
	}
	return changes, nil
}

const allColumns = "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, t, s, u, v, w, x"

// TestEachValueComesBackAsItWas: what goes to Go and back is the stored image, of every type; so no row is written. Where one is
// written, a rollback restores the image.
func TestEachValueComesBackAsItWas(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := computed(t, db, valued, "table: t\ntransform: {function: FUNCTION, reads: ["+allColumns+"], writes: ["+allColumns+"]}\n", echo)
		before := b.image(t)
		b.exec(t, "CREATE TABLE written (id bigint); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO written VALUES (new.id); RETURN new; END $$")
		b.exec(t, "CREATE TRIGGER note BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()")
		b.compute(t, 1, 50)
		if diff := cmp.Diff(before, b.image(t)); diff != "" {
			t.Errorf("values have changed (-before +after):\n%.2000s", diff)
		}
		if written := b.number(t, "SELECT count(*) FROM written"); written != 0 || b.number(t, "SELECT scanned FROM backfill.ledger") != 140 {
			t.Errorf("%d rows that held the values were written", written)
		}
	})
}

// TestARollbackRestoresEachType.
func TestARollbackRestoresEachType(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		all := strings.Split(allColumns, ", ")
		b := computed(t, db, valued, "table: t\ntransform: {function: FUNCTION, writes: ["+allColumns+"]}\n",
			func(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
				for _, row := range rows {
					c := row.Change()
					for _, column := range all {
						c.Set(column, transform.Null())
					}
					id, _ := row.Int("id")
					changes = append(changes, c.Set("f", transform.Int(id)))
				}
				return changes, nil
			})
		before := b.image(t)
		b.compute(t, 1, 50)
		if n := b.number(t, "SELECT count(*) FROM t WHERE f = id AND num_nonnulls("+allColumns+") = 1"); n != 140 {
			t.Fatalf("%d rows are written", n)
		}
		b.back(t, 30)
		if diff := cmp.Diff(before, b.image(t)); diff != "" {
			t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
		}
	})
}
