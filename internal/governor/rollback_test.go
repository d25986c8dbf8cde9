package governor_test

import (
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// restore has a worker roll back a chunk, in one batch.
func (b *bundle) restore(t *testing.T, chunk int64) {
	t.Helper()
	sql, args := b.Claim(t, chunk, 2).Advance(ledger.Step{Done: true, Timeout: time.Minute})
	b.Exec(t, sql, args...)
}

// TestARunIsAsItWasAfterARollbackOfAPart, and its status says so, action included. The execution ends well.
func TestARunIsAsItWasAfterARollbackOfAPart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, all...)
	b.beat(t)
	b.Exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) SELECT $1, n, 0, 0, 1, '' FROM generate_series(1, 12) n", runtest.ID)
	b.Exec(t, "UPDATE backfill.ledger SET undo_bytes = 70")
	b.RollBack(t, 2, 3)
	b.expect(t, b.beat(t), turn.Beat, run.RollingBack, "")
	if status := b.Record(t).Status; status.Action != "rollback" {
		t.Fatalf("%+v", status)
	}
	b.restore(t, 2)
	b.restore(t, 3)
	if got := b.beat(t); got.Next != turn.End || got.State != run.RolledBack {
		t.Fatalf("%+v", got)
	}
	b.Expect(t, run.Completed, "chunks rolled back: 2 of 12, rows restored: 0, conflicts: 0")
	if status := b.Record(t).Status; status.Action != "start" || status.Chunks.RolledBack != 2 || status.Chunks.Completed != 10 ||
		status.Undo.Bytes != 10*70 {
		t.Fatalf("%+v", status)
	}
}
