package worker_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// TestBatchesThatACrashTookBackAreDoneAgain: their commits did not wait for the disk. Behind a pooler the worker's
// connection outlives the server, so that its next batch is refused, and nothing else tells.
func TestBatchesThatACrashTookBackAreDoneAgain(t *testing.T) {
	kept := counters
	kept.Undo = true
	kept.Set = []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}
	for name, c := range map[string]struct {
		change change.Change
		back   bool
	}{"a run": {kept, false}, "its rollback": {kept, true}, "a deletion": {deleted, false}, "its rollback, too": {deleted, true}, "a copy": {copied, false}, "the copy's rollback": {copied, true}, "a move": {moved, false}, "the move's rollback": {moved, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, send := setup(t, pgtest.Newest(t), c.change), int64(1)
			if c.back {
				must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(send)))
				b.reverse(t)
				send++
			}
			proxy := pgtest.NewProxy(t, b.db)
			var batches atomic.Int64
			proxy.Watch(func(m pgtest.Message) pgtest.Verdict {
				if m.Kind == pgtest.Bind && strings.Contains(m.Statement, "backfill.advance(") {
					b.rewind(t, batches.Add(1))
				}
				return pgtest.Pass
			})
			must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(send)))
			if batches.Load() < 6 {
				t.Fatalf("only %d batches", batches.Load())
			}
			if !c.back {
				b.expectOnce(t)
				return
			}
			b.expectAsBefore(t)
		})
	}
}

// reverse begins the rollback.
func (b *bundle) reverse(t *testing.T) {
	t.Helper()
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
	must(t, err)
}

// expectAsBefore demands that every row is as before the run, and is counted once.
func (b *bundle) expectAsBefore(t *testing.T) {
	t.Helper()
	b.expectLedger(t, chunk.RolledBack)
	var same, restored, kept int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM counters WHERE n = id AND note = id::text) - (SELECT count(*) FROM copied), restored,
		(SELECT count(*) FROM backfill.undo) FROM backfill.ledger`).Scan(&same, &restored, &kept))
	if b.kind == change.Archived {
		b.expectFiled(t, 0)
	}
	if same != rows || restored != rows || kept != 0 {
		t.Fatalf("%d rows are as before, %d counted, of %d; %d undo rows are left", same, restored, rows, kept)
	}
}

// memory is what a crash takes the database back to.
var memory = []string{"counters", "copied", "backfill.ledger", "backfill.undo"}

// rewind remembers what is there before the third batch, and goes back to it before the fifth.
func (b *bundle) rewind(t *testing.T, batch int64) {
	for _, table := range memory {
		copied := pgx.Identifier{"memory of " + table}.Sanitize()
		switch batch {
		case 3:
			b.exec(t, "CREATE TABLE "+copied+" AS TABLE "+table)
		case 5:
			b.exec(t, "DELETE FROM "+table+"; INSERT INTO "+table+" TABLE "+copied)
		}
	}
}
