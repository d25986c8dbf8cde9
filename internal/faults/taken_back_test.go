package faults

import (
	"fmt"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// TestAForwardBatchComesWhenItsRunIsTakenBack: a worker is stopped in the middle of a forward batch, past its lease, while
// the run is cancelled and then rolled back. Its batch arrives between the claim of the rollback's worker and its first
// batch, which has the same number: only fence and owner tell the two apart.
func TestAForwardBatchComesWhenItsRunIsTakenBack(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		s, w := deploy(t, db, plan{workers: 2}), oneChunk(t, db)
		batches, conn := s.holding(w.nth(4), w.nth(5)), db.Connect(t)
		a := s.start(t, w)
		zombie, stale := s.stopsAndCancels(t, a, w, batches)
		back := s.start(t, w.rollback(a.id))
		restorer := next(t, batches)
		fence, seq, affected := entry(t, conn, a.id)
		s.wakes(t, zombie, stale)
		if f, q, n := entry(t, conn, a.id); f != fence || q != seq || n != affected || n == 0 {
			t.Errorf("the zombie wrote: fence %d -> %d, batches %d -> %d, rows %d -> %d", fence, f, seq, q, affected, n)
		}
		close(restorer.pass)
		back.completes(t)
	})
}

// TestAForwardBatchComesWhenItsRunWasTakenBack, when nothing is left to do.
func TestAForwardBatchComesWhenItsRunWasTakenBack(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		s, w := deploy(t, db, plan{workers: 2}), oneChunk(t, db)
		a := s.start(t, w)
		zombie, stale := s.stopsAndCancels(t, a, w, s.holding(w.nth(4)))
		back := s.start(t, w.rollback(a.id))
		back.completes(t)
		s.wakes(t, zombie, stale)
		back.done(t)
	})
}

// stopsAndCancels stops the worker of the next batch and cancels the run, which ends when the lease has. It gives the
// worker's fence as well.
func (s *stack) stopsAndCancels(t *testing.T, a *attempt, w increment, batches <-chan held) (zombie held, fence int64) {
	t.Helper()
	zombie = next(t, batches)
	zombie.by.Pause()
	conn := s.db.Connect(t)
	w.expectAmid(t, conn)
	fence, _, _ = entry(t, conn, a.id)
	a.cancels(t)
	if a.leave(); a.err != nil || a.last.State != run.Cancelled {
		t.Fatalf("run %s ended as %s: %v", a.id, a.last.State, a.err)
	}
	return zombie, fence
}

// wakes lets a worker that was stopped go on, until it has left its chunk.
func (s *stack) wakes(t *testing.T, zombie held, fence int64) {
	t.Helper()
	close(zombie.pass)
	zombie.by.Continue()
	s.log.Await(t, patience, zombie.by.Name, "chunk left", fmt.Sprintf(`"fence":%d`, fence))
}
