package rehearsal_test

import (
	"context"
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

// TestASmallTableIsCounted: every row is looked at, so the figures are exact.
func TestASmallTableIsCounted(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, users+"UPDATE users SET email = lower(email) WHERE n % 4 = 0")
		found := b.rehearse(t, lower, 8)
		e := found.Extent
		scope := b.number(t, "SELECT count(*) FROM users WHERE country IS NOT NULL")
		left := b.number(t, "SELECT count(*) FROM users WHERE country IS NOT NULL AND email <> lower(email)")
		if !e.Counted || e.Rows != 20_000 || e.Chunks != 20 || !e.Looked.All || e.InScope.Value != scope || e.ToWrite.Value != left || e.ToWrite.From != e.ToWrite.To {
			t.Errorf("%s; want %d and %d", asJSON(t, e), scope, left)
		}
		if len(found.Sample) != 8 {
			t.Errorf("%d rows", len(found.Sample))
		}
		for _, row := range found.Sample {
			if got := strings.ToLower(*row.Before[0]); got != *row.After[0] || row.Same != (got == *row.Before[0]) {
				t.Errorf("%s", asJSON(t, row))
			}
		}
	})
}

// TestTheSampleIsOfRowsInScope, where they are in the middle of their stretch, and what is not in scope cannot be computed.
func TestTheSampleIsOfRowsInScope(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, users)
		found := b.rehearse(t, "name: a\ntable: users\nset: {n: 1 / (n % 1000 - 499)}\nwhere: n % 1000 = 500\nchunk_rows: 1000\n", 8)
		for _, row := range found.Sample {
			if !strings.HasSuffix(*row.Before[0], "500") || *row.After[0] != "1" || row.Error != "" {
				t.Errorf("%s", asJSON(t, row))
			}
		}
		if len(found.Sample) != 8 || found.Extent.ToWrite.Value != 20 || len(found.InTheWay) != 0 {
			t.Errorf("%v, %s", found.InTheWay, asJSON(t, found.Extent))
		}
	})
}

// TestOneStretchGivesSeveralRows: of a table of one chunk; all that are in scope, where they are fewer; and the good ones where another fails.
func TestOneStretchGivesSeveralRows(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), strings.Replace(users, "20000", "60000", 1))
	for where, want := range map[string]int{"n <> 6": 8, "n IN (1, 2, 3)": 3, "n > 0": 1} { // the sixth row fails
		found := b.rehearse(t, "name: a\ntable: users\nset: {n: 1 / (n - 6)}\nwhere: "+where+"\n", 8)
		keys := map[string]bool{}
		for _, row := range found.Sample {
			keys[row.Key[0]] = true
		}
		if found.Extent.Looked.Stretches > 1 || len(found.Sample) != want || len(keys) != want || found.Sample[0].Key[0] != "3" {
			t.Errorf("%s: %s", where, asJSON(t, found.Sample))
		}
	}
}

// TestALargeTableIsSampled: what the catalog takes for more than is walked. The share of rows in scope is found within its own bounds.
func TestALargeTableIsSampled(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"bigint": "g", "uuid": "md5(g::text)::uuid", "text": "md5(g::text)"} {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			b := setup(t, db, "CREATE TABLE users (id "+name+" PRIMARY KEY, email text, country text); INSERT INTO users SELECT "+key+
				", 'A', CASE WHEN g % 5 = 0 THEN 'de' END FROM generate_series(1, 120000) g; ANALYZE users; UPDATE pg_class SET reltuples = 2e7 WHERE relname = 'users'")
			found := b.rehearse(t, "name: lower\ntable: users\nset: {email: lower(email)}\nwhere: country IS NOT NULL\n", 5)
			e := found.Extent
			if e.Counted || e.Rows != 20_000_000 || e.Chunks != 200 || e.Looked.Stretches < 5 || e.Looked.Rows < 5000 || e.Looked.All {
				t.Fatalf("%s: %s, %v", name, asJSON(t, e), found.Unknown)
			}
			if want := e.Rows / 5; e.InScope.From > want || e.InScope.To < want || e.InScope.Value < want*95/100 || e.InScope.Value > want*105/100 {
				t.Errorf("%s: %s, want %d", name, asJSON(t, e.InScope), want)
			}
			if len(found.Sample) != 5 || found.Sample[0].Key[0] == found.Sample[4].Key[0] {
				t.Errorf("%s: %s", name, asJSON(t, found.Sample))
			}
		})
	}
}

func init() {
	transform.Register("rehearsed", "1", transform.Each(func(_ context.Context, row transform.Row) (transform.Change, error) { return row.Change(), nil }))
}

// TestEveryKeyAndKind: composite keys in names that need quotes, partitions, every kind, no undo, a table without rows.
func TestEveryKeyAndKind(t *testing.T) {
	t.Parallel()
	const ddl = `CREATE SCHEMA "Sales Dept"; CREATE TABLE "Sales Dept"."Items" ("tenant Id" uuid, at timestamptz, "k1" int, n int NOT NULL, note text, PRIMARY KEY ("tenant Id", at, k1));
		INSERT INTO "Sales Dept"."Items" SELECT md5((g % 3)::text)::uuid, timestamptz '2024-01-01' + (g % 50) * interval '1 hour', g, g, 'x' FROM generate_series(1, 5000) g;
		CREATE TABLE parted (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF parted FOR VALUES FROM (0) TO (2000);
		CREATE TABLE p2 PARTITION OF parted FOR VALUES FROM (2000) TO (9000); INSERT INTO parted SELECT g, g FROM generate_series(1, 5000) g;
		CREATE TABLE others (k int PRIMARY KEY, n int, note text, fixed varchar(3));
		INSERT INTO others SELECT g, g + 1 FROM generate_series(100, 499) g; CREATE TABLE old (LIKE parted INCLUDING INDEXES);
		CREATE TABLE nobody (id int PRIMARY KEY, n int); ANALYZE;`
	const items = "name: a\ntable: '\"Sales Dept\".\"Items\"'\n"
	cases := map[string]struct {
		definition          string
		rows, writes, shown int64
	}{
		"composite":     {items + "set: {n: n + 1}\nwhere: n > 2500\nchunk_rows: 700\n", 5000, 2500, 8},
		"deleted":       {items + "delete: true\nwhere: n > 2500\n", 5000, 2500, 8},
		"without undo":  {items + "set: {note: upper(note)}\nundo: off\n", 5000, 5000, 8},
		"volatile":      {items + "set: {note: gen_random_uuid()}\n", 5000, 5000, 8},
		"literals":      {items + "set: {note: NULL, n: 7}\n", 5000, 5000, 8},
		"a parameter":   {items + "set: {n: n + @by}\nparams: {by: {type: integer, default: 2}}\n", 5000, 5000, 8},
		"partitions":    {"name: a\ntable: parted\nset: {n: -n}\n", 5000, 5000, 8},
		"parts deleted": {"name: a\ntable: parted\ndelete: true\nwhere: n > 4000\n", 5000, 1000, 8},
		"copied":        {items + "where: n > 2500\ncopy: {into: others, columns: {k: n, note: upper(note), fixed: \"'x'\"}}\n", 5000, 2500, 8},
		"moved":         {"name: a\ntable: parted\ncopy: {into: others, columns: {k: id, n: -n}, move: true}\nwhere: n > 4000\n", 5000, 1000, 8},
		"computed":      {items + "transform: {function: rehearsed, reads: [note, n], writes: [note]}\nwhere: n > 2500\n", 5000, 2500, 8},
		"joined":        {"name: a\ntable: parted\nfrom: {o: others}\njoin: o.k = parted.id\nset: {n: o.n}\nwhere: o.n > 100\n", 5000, 400, 8},
		"archived":      {"name: a\ntable: parted\ndelete: true\nwhere: n > 4000\narchive: old\n", 5000, 1000, 8},
		"no rows":       {"name: a\ntable: nobody\nset: {n: 1}\n", 0, 0, 0},
		"none in scope": {"name: a\ntable: parted\nset: {n: 1}\nwhere: n < 0\n", 5000, 0, 0},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, ddl)
		for _, migrated := range []bool{false, true} {
			if migrated {
				must(t, b.book.Migrate(t.Context()))
			}
			for name, c := range cases {
				found := b.rehearse(t, c.definition, 8)
				if e := found.Extent; e.Rows != c.rows || e.ToWrite == nil || e.ToWrite.Value != c.writes || int64(len(found.Sample)) != c.shown || len(found.InTheWay) > 0 {
					t.Errorf("%s: %d shown, %v, %s", name, len(found.Sample), found.InTheWay, asJSON(t, found.Extent))
				}
				if plain := 0; migrated {
					for _, s := range found.Statements {
						if s.Purpose == "the change of a batch by itself" {
							plain++
						}
					}
					if tells(found.Unknown, "cannot be tried without writing") || name == "volatile" && tells(found.Unknown, "expressions were tried on 8 rows only") {
						found.Unknown = nil // a function's values, and those that are others each time
					}
					if len(found.Unknown) > 0 || found.Prepared != len(found.Statements)-plain {
						t.Errorf("%s: %d of %d statements prepared, %v", name, found.Prepared, len(found.Statements)-plain, found.Unknown)
					}
				} else if !tells(found.Unknown, "the next start makes it") || found.Prepared == 0 {
					t.Errorf("%s: %d prepared, %v", name, found.Prepared, found.Unknown)
				}
				verdict := "no scan of a whole table or index"
				if db.Major == "15" && strings.Contains(c.definition, "parted\nset") {
					// The rows are locked first, and joined by key: of so small a table Postgres rather reads the key's index.
					verdict = "each batch would pay for a scan of the whole index p1_pkey; a start is not refused for it"
				}
				if c.rows > 0 && (len(found.Plan.Lines) == 0 || found.Plan.Verdict != verdict) {
					t.Errorf("%s: %+v", name, found.Plan)
				}
			}
		}
	})
}

// TestAnIndexOnWhereIsTold, and how many chunks it saves.
func TestAnIndexOnWhereIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), users+"CREATE INDEX ON users (id) WHERE n < 100; ANALYZE users")
	few := strings.Replace(lower, "country IS NOT NULL", "n < 100", 1)
	if got := b.rehearse(t, few, 0).Extent.Skips; got != "an index answers where: 19 of 20 chunks that were asked have no row in scope, and would be done at once" {
		t.Error(got)
	}
	if got := b.rehearse(t, lower, 0).Extent.Skips; !strings.Contains(got, "no index answers where") {
		t.Error(got)
	}
}
