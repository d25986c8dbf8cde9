package worker_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
)

// retry ends the run, has its rejected rows tried again, and works on what is due then.
func (b *bundle) retry(t *testing.T, url, execution string) {
	t.Helper()
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp() WHERE state <> 'FAILED'")
	_, err := b.ledger.Retry(t.Context(), theRun, execution)
	must(t, err)
	for _, message := range b.due(t) {
		must(t, b.worker(t, url).Work(t.Context(), message))
	}
}

// mend makes the rows allow the change, all of them or those of all kinds but one.
func (b *bundle) mend(t *testing.T, all bool) {
	t.Helper()
	b.exec(t, fmt.Sprintf("UPDATE counters SET note = 'mended-' || id WHERE note LIKE '%% %%' AND (note NOT LIKE 'check %%' OR %v) AND id <= %d", all, rows))
}

// TestRejectedRowsAreTriedAgain: those that were mended are written, once, and leave the list; the others stay on it. A second
// retry finishes the run, and its rollback gives back what was written by whichever.
func TestRejectedRowsAreTriedAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		c.Undo = true
		b, count := poisonedRun(t, db, c, 108, 37)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectRejects(t, count)
		b.mend(t, false)
		var left int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE note LIKE 'check %'").Scan(&left))
		b.retry(t, db.URL, "arn:2")
		b.expectLedger(t, chunk.Completed)
		b.expectRejects(t, left)
		if left < 7 || left > 8 {
			t.Fatalf("%d rows are left", left)
		}
		b.mend(t, true)
		b.retry(t, db.URL, "arn:3")
		b.expectLedger(t, chunk.Completed)
		b.expectRejects(t, 0)
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		_, err := b.ledger.Reverse(t.Context(), theRun, "arn:4", nil)
		must(t, err)
		for _, message := range b.due(t) {
			must(t, b.worker(t, db.URL).Work(t.Context(), message))
		}
		b.expectLedger(t, chunk.RolledBack)
		var wrong, restored int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*), (SELECT restored FROM backfill.ledger) FROM counters WHERE n <> id AND id <= $1", rows).Scan(&wrong, &restored))
		if wrong != 0 || restored != rows {
			t.Fatalf("%d rows are not as before, %d restored", wrong, restored)
		}
	})
}

// TestAFailedChunkAndItsRejectsAreTriedAgain: the budget was spent in the middle of the chunk.
func TestAFailedChunkAndItsRejectsAreTriedAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b, _ := poisonedRun(t, db, c, 108, 10)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Failed)
		b.exec(t, "UPDATE backfill.runs SET state = 'FAILED', ended_at = clock_timestamp()")
		b.mend(t, false) // eight of the rows are left, which is within the budget
		b.retry(t, db.URL, "arn:2")
		b.expectLedger(t, chunk.Completed)
		var left int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE note LIKE 'check %'").Scan(&left))
		b.expectRejects(t, left)
	})
}

// TestEveryLostAnswerOfARetryIsFound: each row is applied once, and each that fails again stays rejected once.
func TestEveryLostAnswerOfARetryIsFound(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		c.Undo = true
		b, _ := poisonedRun(t, db, c, 800, 5)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectRejects(t, 5)
		b.mend(t, false)
		again := b.keep(t, "counters", "backfill.ledger", "backfill.rejects", "backfill.undo")
		proxy := pgtest.NewProxy(t, db)
		for kind, fromServer := range map[byte]bool{pgtest.Sync: false, pgtest.ReadyForQuery: true} {
			n, all := int64(1), false
			for ; !all; n = pgtest.After(n, 3) {
				b.db.Exec(t, again)
				var seen atomic.Int64
				proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && seen.Add(1) == n })
				b.retry(t, proxy.URL, fmt.Sprint("arn:", kind, n))
				b.expectLedger(t, chunk.Completed)
				b.expectRejects(t, 1)
				all = seen.Load() < n
			}
			if n < 12 {
				t.Fatalf("a retry has only %d messages of kind %c", n, kind)
			}
		}
	})
}
