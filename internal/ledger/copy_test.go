package ledger_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// copies describes a run that copies from one table into another.
func copies(id, from, into string) ledger.Run {
	r := describe(id, from)
	r.Change.Kind, r.Change.Copy = change.Copy, &change.Copying{Into: change.Table{Schema: "archive", Name: into}}
	return r
}

// writes describes a run that sets a column of that table of the archive.
func writes(id, table string) ledger.Run {
	r := describe(id, table)
	r.Change.Table.Schema = "archive"
	return r
}

// TestACopyHoldsBothTables: no other run has one of them meanwhile, whether it walks it or is to write it; a run that has ended gives
// both back, and one that is revived, or rolled back, takes both again, or none.
func TestACopyHoldsBothTables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		holder, other ledger.Run
		table         string // "": they have none in common
	}{
		"its source":       {copies("one", "users", "old"), describe("two", "users"), "public.users"},
		"its target":       {copies("one", "users", "old"), writes("two", "old"), "archive.old"},
		"a writer's table": {writes("one", "old"), copies("two", "users", "old"), "archive.old"},
		"one target":       {copies("one", "users", "old"), copies("two", "orders", "old"), "archive.old"},
		"a chain":          {copies("one", "users", "old"), func() ledger.Run { r := copies("two", "old", "older"); r.Change.Table.Schema = "archive"; return r }(), "archive.old"},
		"each other's": {copies("one", "users", "old"), func() ledger.Run {
			r := copies("two", "old", "users")
			r.Change.Table.Schema, r.Change.Copy.Into.Schema = "archive", "public"
			return r
		}(), "archive.old public.users"},
		"nothing in common": {copies("one", "users", "old"), copies("two", "orders", "older"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Newest(t)
			entries, conn := newLedger(t, db), db.Connect(t)
			must(t, entries.Migrate(t.Context()))
			b := &bundle{ledger: entries, conn: conn, db: db}
			_, err := entries.Open(t.Context(), c.holder)
			must(t, err)
			_, err = entries.Open(t.Context(), c.other)
			expectBusy(t, err, "one", c.table)
			if c.table == "" {
				return
			}
			b.exec(t, "UPDATE backfill.runs SET state = $1, ended_at = clock_timestamp()", run.Cancelled)
			_, err = entries.Open(t.Context(), c.other)
			must(t, err)
			_, err = entries.Revive(t.Context(), "one", "arn:again")
			expectBusy(t, err, "two", c.table)
			_, err = entries.Reverse(t.Context(), "one", "arn:again", nil)
			expectBusy(t, err, "two", c.table)
			b.exec(t, "UPDATE backfill.runs SET state = $1, ended_at = clock_timestamp() WHERE run = 'two'", run.Completed)
			_, err = entries.Revive(t.Context(), "one", "arn:again")
			must(t, err)
			if n := b.number(t, "SELECT count(*) FROM backfill.held WHERE run = 'one'"); n != 1 && n != 2 || n == 2 != (c.holder.Change.Copy != nil) {
				t.Fatalf("it holds %d tables", n)
			}
			b.exec(t, "DELETE FROM backfill.runs")
			if n := b.number(t, "SELECT count(*) FROM backfill.held"); n != 0 {
				t.Fatalf("%d tables are held by nobody", n)
			}
		})
	}
}

func expectBusy(t *testing.T, err error, holder, table string) {
	t.Helper()
	// Of two tables the one that the run itself walks is named.
	named := slices.ContainsFunc(strings.Fields(table), func(name string) bool {
		return err != nil && strings.Contains(err.Error(), "run "+holder+" holds table "+name+";")
	})
	if busy := failure.Is(err, failure.Busy); busy != (table != "") || busy && !named || err != nil && !busy {
		t.Fatalf("got %v; want %s held by %s", err, table, holder)
	}
}

// TestTablesAreTakenInOneOrder, whichever of them a run walks: one that waits for the first of two has not taken the second, so that two runs that want each
// other's tables never wait for each other.
func TestTablesAreTakenInOneOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	entries := newLedger(t, db)
	must(t, entries.Migrate(t.Context()))
	b := &bundle{ledger: entries, conn: db.Connect(t), db: db}
	_, err := entries.Open(t.Context(), describe("holder", "users"))
	must(t, err)
	tx, err := b.conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "INSERT INTO backfill.held (target, run) VALUES ($1, 'holder')", `"archive"."a"`)
	must(t, err)
	opened := make(chan error, 1)
	other := newLedger(t, db)
	go func() {
		r := copies("waits", "z", "a")
		r.Change.Table.Schema = "archive"
		_, err := other.Open(context.Background(), r)
		opened <- err
	}()
	beside := db.Connect(t)
	pgtest.WaitUntil(t, beside, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
	_, err = beside.Exec(t.Context(), `SET lock_timeout = '2s'; INSERT INTO backfill.held (target, run) VALUES ('"archive"."z"', 'holder'); DELETE FROM backfill.held WHERE target = '"archive"."z"'`)
	must(t, err)
	must(t, tx.Rollback(t.Context()))
	must(t, <-opened)
}

// TestRunsThatGoOnHoldTheirTablesInTheNewSchema, those as well that the version before begins after it.
func TestRunsThatGoOnHoldTheirTablesInTheNewSchema(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "DROP TABLE backfill.held; ALTER TABLE backfill.runs DROP COLUMN copies_into; DROP TRIGGER hold ON backfill.runs; DROP TRIGGER hold_none ON backfill.runs")
	b.exec(t, "UPDATE backfill.version SET version = 10")
	must(t, b.ledger.Migrate(t.Context()))
	b.exec(t, "INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, state) VALUES ('before', '', '', $1, '', '{}', 'RUNNING')", `"archive"."old"`)
	for table, holder := range map[string]string{"users": theRun, "old": "before"} {
		r := copies("copy", "orders", table)
		if table == "users" {
			r.Change.Copy.Into.Schema = "public"
		}
		_, err := b.ledger.Open(t.Context(), r)
		expectBusy(t, err, holder, r.Change.Copy.Into.String())
	}
}

// TestConflictsOfACopyComeInTheOrderOfTheTargetsKey. A row that was inserted was none before, which is not the same as one of which nobody knows.
func TestConflictsOfACopyComeInTheOrderOfTheTargetsKey(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		r := copies(theRun, "users", "old")
		r.Change.Key, r.Change.Copy.Key = []keyset.Column{{Name: "name", Type: "text"}}, []keyset.Column{{Name: "no", Type: "bigint"}}
		b.exec(t, "INSERT INTO backfill.conflicts (run, chunk, key, was, found_at) VALUES ($1, 1, '{10}', '{}', now()), ($1, 1, '{9}', NULL, now()), ($1, 1, '{100}', '{a,NULL}', now())", theRun)
		var found []ledger.Conflict
		must(t, b.ledger.Conflicts(t.Context(), r, 0, 100, func(c ledger.Conflict) bool {
			found = append(found, c)
			return false
		}))
		if len(found) != 3 || found[0].Key[0] != "9" || found[1].Key[0] != "10" || found[0].Was != nil || found[1].Was == nil || len(found[1].Was) != 0 || len(found[2].Was) != 2 {
			t.Fatalf("%+v", found)
		}
	})
}
