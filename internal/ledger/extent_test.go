package ledger_test

import (
	"testing"

	"backfill/internal/pgtest"
)

// parted is a table of several levels of partitions beside another, which is larger.
const parted = `CREATE TABLE users (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id);
	CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
	CREATE TABLE users_1_1 PARTITION OF users_1 FOR VALUES FROM (0) TO (100); CREATE TABLE users_2 PARTITION OF users FOR VALUES FROM (100) TO (200);
	CREATE TABLE others (id bigint PRIMARY KEY); INSERT INTO users SELECT g, repeat('x', 100) FROM generate_series(0, 199) g; INSERT INTO others SELECT generate_series(1, 10000)`

// extent is the answer for tables, "": it is not known.
func (b *bundle) extent(t *testing.T, tables string) string {
	t.Helper()
	return b.text(t, "SELECT concat_ws(' ', bytes, indexes) FROM backfill.extent('"+tables+"')")
}

func TestTheExtentOfATableIsThatOfItsPartitions(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.exec(t, parted)
		size := func(tables string) string {
			return b.text(t, "SELECT concat_ws(' ', sum(pg_table_size(c)), sum(pg_indexes_size(c))) FROM unnest('"+tables+"'::regclass[]) AS c")
		}
		for tables, parts := range map[string]string{"{users}": "{users_1_1,users_2}", "{others}": "{others}", "{others,users}": "{others,users_1_1,users_2}", "{users,users_2}": "{users_1_1,users_2}"} {
			if got, want := b.extent(t, tables), size(parts); got != want {
				t.Errorf("%s: %s, want %s", tables, got, want)
			}
		}
		if got := b.extent(t, "{nowhere}"); got != "" {
			t.Errorf("a table that is gone has %s", got)
		}
	})
}

// TestAnExtentWaitsForNobody: a partition that somebody rebuilds leaves it unknown, in the statement that opens the run as well, and one of another table is nothing to it.
func TestAnExtentWaitsForNobody(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.exec(t, parted)
		tx, err := db.Connect(t).Begin(t.Context())
		must(t, err)
		_, err = tx.Exec(t.Context(), "LOCK TABLE users_2 IN ACCESS EXCLUSIVE MODE")
		must(t, err)
		b.exec(t, "SET statement_timeout = '10s'") // of a wait that does not end
		if got := b.extent(t, "{others}"); got == "" {
			t.Error("that of another table is not known")
		}
		if got := b.extent(t, "{users}"); got != "" {
			t.Errorf("somebody has a partition locked: %s", got)
		}
		b.exec(t, "UPDATE backfill.runs SET ended_at = now()")
		opened := describe("run-2", "users")
		opened.Canary = 10_000
		_, err = b.ledger.Open(t.Context(), opened)
		must(t, err)
		if known := b.text(t, "SELECT count(tables_before) + count(indexes_before) || '' FROM backfill.runs WHERE run = 'run-2' AND canary > 0"); known != "0" {
			t.Error("a size was noted")
		}
	})
}

// TestACanaryWhoseTablesWereNotMeasured tells the rest all the same.
func TestACanaryWhoseTablesWereNotMeasured(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "now"} {
		b := held(t)
		b.exec(t, "UPDATE backfill.ledger SET updated_at = updated_at - interval '11 s'")
		if when == "before" {
			b.exec(t, "UPDATE backfill.runs SET tables_before = NULL, indexes_before = NULL")
		} else {
			b.exec(t, "DROP TABLE users")
		}
		found, err := b.ledger.Ripen(t.Context(), theRun, false)
		must(t, err)
		if found.Waits || found.Chunks != 1 || (found.Before == nil) != (when == "before") || (found.Table == nil) != (when == "now") {
			t.Errorf("not measured %s: %+v", when, found)
		}
	}
}
