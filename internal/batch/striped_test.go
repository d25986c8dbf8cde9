package batch_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestPassesMeetEachKeyOnce: whatever the types of the key, the sizes of chunks, windows, passes and batches, wherever a
// worker dies, and whatever rows come and go meanwhile: a row that was there all the time is changed once, no row twice.
func TestPassesMeetEachKeyOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b, tables := markedTables(t, db)
		rapid.Check(t, func(r *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(r, "table")
			c := table.Increment()
			c.ChunkRows, c.Undo = rapid.Int64Range(1, 30).Draw(r, "chunk rows"), rapid.Bool().Draw(r, "undo")
			for i := range c.Set {
				c.Set[i].Base = c.Set[i].Type
			}
			b.runner = batch.Runner{Change: c, Timeout: 10 * time.Second}
			b.fillMarked(t, r, table)
			disturbed := rapid.Bool().Draw(r, "rows come and go")
			b.expectMarked(t, r, table, b.stripeTable(t, r, table, disturbed))
		})
	})
}

// markedTables has no table filled, and no run.
func markedTables(t *testing.T, db pgtest.Database) (*bundle, []pgtest.KeyTable) {
	t.Helper()
	tables := db.CreateKeyTables(t)
	mark(t, db, tables)
	b := &bundle{beside: db.Connect(t)}
	b.connect(t, db.URL)
	b.exec(t, "SET synchronous_commit = off")
	session := postgres.NewSession(credentials.Fixed(db.URL), "test")
	t.Cleanup(session.Drop)
	b.ledger = ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
	must(t, b.ledger.Migrate(t.Context()))
	return b, tables
}

// stripeTable cuts the table into chunks, goes over each in passes, and tells how many rows were counted.
func (b *bundle) stripeTable(t *testing.T, r *rapid.T, table pgtest.KeyTable, disturbed bool) (affected int64) {
	for _, part := range b.plan(t, r, b.runner.Change) {
		b.claim = b.take(t, part)
		affected += b.stripeChunk(t, r, func() {
			if disturbed {
				b.disturb(t, r, table)
			}
		}).Affected
	}
	return affected
}

// stripeChunk goes over a chunk; where a worker would have died, the next goes on from what is stored.
func (b *bundle) stripeChunk(t *testing.T, r *rapid.T, between func()) (outcome batch.Outcome) {
	window := drawWindow(r)
	return b.dieAndResume(t, r, func() steps { return &batch.Striped{Runner: b.runner, Window: window} }, between)
}

func drawWindow(r *rapid.T) statement.Window {
	return statement.Window{
		Keys: rapid.Int64Range(1, 30).Draw(r, "window"), Passes: rapid.IntRange(2, 5).Draw(r, "passes"), Batches: rapid.IntRange(1, 3).Draw(r, "batches"),
	}
}

// dieAndResume goes over a chunk with the steps of one worker after the other.
func (b *bundle) dieAndResume(t *testing.T, r *rapid.T, worker func() steps, between func()) (outcome batch.Outcome) {
	for steps := worker(); !outcome.Done; {
		if rapid.IntRange(0, 3).Draw(r, "dies") == 0 {
			b.claim.Message.Send++
			b.claim = b.take(t, b.claim.Message)
			steps = worker()
		}
		var err error
		outcome, err = steps.Step(context.Background(), b.conn, &b.claim, drawSize(r))
		must(r, err)
		between()
	}
	return outcome
}

// disturb deletes a row or inserts one, which is told from the others by n.
func (b *bundle) disturb(t *testing.T, r *rapid.T, table pgtest.KeyTable) {
	var key []any
	for _, column := range table.Key {
		key = append(key, rapid.SampledFrom(column.Values).Draw(r, column.Name))
	}
	if rapid.Bool().Draw(r, "delete") {
		b.exec(t, fmt.Sprintf("DELETE FROM %s WHERE (%s) = (%s)", table.Table(), table.Columns(), table.Values(1)), key...)
		return
	}
	b.exec(t, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING", table.Table(), table.Columns(), table.Values(1)), key...)
}

// TestUpdatesThatAreHOTAreCounted. Room on the page is there from the beginning: what passes leave is used only as far as
// no other transaction on the server keeps dead rows, and other tests have such (`make bench` shows what passes do).
func TestUpdatesThatAreHOTAreCounted(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for fillfactor, want := range map[int]int64{40: 2_000, 100: 0} {
			b := setup(t, db, counters)
			b.exec(t, fmt.Sprintf("ALTER TABLE counters ADD pad text NOT NULL DEFAULT repeat('x', 200), SET (fillfactor = %d)", fillfactor))
			b.exec(t, "TRUNCATE counters")
			b.exec(t, "INSERT INTO counters SELECT g, 0 FROM generate_series(1, 2000) g")
			if want == 0 {
				b.exec(t, "CREATE INDEX ON counters (n)")
			}
			b.claim = b.whole(t, counters)
			outcome, batches := b.passes(t, statement.Window{Keys: 2_000, Passes: 8, Batches: 4})
			hot := number(t, b.beside, "SELECT hot FROM backfill.ledger")
			if outcome.Affected != 2_000 || hot != want || batches != 1+8*4 {
				t.Errorf("fillfactor %d: %d rows, %d of them HOT, in %d batches", fillfactor, outcome.Affected, hot, batches)
			}
			b.exec(t, "DROP TABLE counters, other; DROP SCHEMA backfill CASCADE")
		}
	})
}

// passes goes over the whole chunk, and gives the last outcome and the number of batches, the opening of a window among them.
func (b *bundle) passes(t *testing.T, window statement.Window) (outcome batch.Outcome, batches int) {
	t.Helper()
	steps := &batch.Striped{Runner: b.runner, Window: window}
	for ; !outcome.Done; batches++ {
		var err error
		outcome, err = steps.Step(t.Context(), b.conn, &b.claim, 1000)
		must(t, err)
	}
	return outcome, batches
}

// TestARollbackOfPassesRestoresEveryType: what is kept by stripes is restored like what is kept by ranges.
func TestARollbackOfPassesRestoresEveryType(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		ddl, source := everyType(false)
		b := reversible(t, db, types+ddl, source)
		before := b.image(t)
		b.walk(t, &batch.Striped{
			Runner: batch.Runner{Change: b.change, Timeout: time.Minute}, Window: statement.Window{Keys: 50, Passes: 3, Batches: 2},
		}, 7)
		if cmp.Equal(before, b.image(t)) {
			t.Fatal("nothing was changed")
		}
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		b.back(t, 7)
		if diff := cmp.Diff(before, b.image(t)); diff != "" {
			t.Errorf("the table is another: %s", diff)
		}
	})
}

// whole opens the run anew, with the table as it is as one chunk.
func (b *bundle) whole(t *testing.T, c change.Change) ledger.Claim {
	t.Helper()
	b.exec(t, "DELETE FROM backfill.ledger")
	b.exec(t, "DELETE FROM backfill.runs")
	bound, err := boundary.Bound(t.Context(), b.beside, c, nil)
	must(t, err)
	_, err = b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Change: c, Bound: bound})
	must(t, err)
	return b.take(t, chunk.Message{Run: theRun, Chunk: 1, Hi: bound, Send: 1})
}
