package faults

import (
	"strings"
	"sync"
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// behind puts a pooler between all functions and Postgres. It has two connections to the server, fewer than there are
// functions.
func (s *stack) behind(t *testing.T) *pgtest.Pooler {
	t.Helper()
	pooler := pgtest.NewPooler(t, s.db, 2)
	for _, d := range s.doors {
		d.postgres.Lead(pooler.Address)
	}
	return pooler
}

// TestBehindAPooler: every function, and all that is asked of a run.
func TestBehindAPooler(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for name, chunkRows := range map[string]int{"plain": 1500, "passes": striped} {
			t.Run(name, func(t *testing.T) {
				s, w := deploy(t, db, plan{workers: 2}), increment{rows: 3 * chunkRows, chunkRows: chunkRows}.makeTable(t, db)
				s.behind(t)
				batches := s.holding(4)
				a := s.start(t, w)
				held := next(t, batches)
				a.cancels(t)
				close(held.pass)
				if a.leave(); a.err != nil || a.last.State != run.Cancelled {
					t.Fatalf("run %s ended as %s: %v", a.id, a.last.State, a.err)
				}
				s.start(t, again{of: w, end: run.Completed}.resume(a.id)).completes(t)
				s.start(t, w.rollbackOf(a.id, []int64{2}, run.Completed)).completes(t)
				s.start(t, w.rollback(a.id)).completes(t)
			})
		}
	})
}

// TestCrashesBehindAPooler: of Postgres, and of the pooler, in the middle of a run and of its rollback.
func TestCrashesBehindAPooler(t *testing.T) {
	onACluster(t, func(t *testing.T, c *cluster.Cluster) {
		c.WriteLate(t)
		w := slow(t, c.Database())
		s := deploy(t, c.Database(), plan{workers: 2})
		pooler := s.behind(t)
		crash := func(a *attempt) {
			c.Crash()
			c.Start(t)
			s.until(t, a, 4)
			pooler.Stop()
			pooler.Start(t)
		}
		a := s.inTheMiddle(t, w)
		crash(a)
		a.completes(t)
		back := s.start(t, w.rollback(a.id))
		s.restoring(t, a)
		crash(back)
		back.completes(t)
	})
}

// restoring waits until something was taken back.
func (s *stack) restoring(t *testing.T, a *attempt) {
	t.Helper()
	pgtest.WaitUntil(t, s.db.Connect(t), "SELECT coalesce(sum(restored), 0) > 0 FROM backfill.ledger WHERE run = '"+a.id+"'")
}

// TestThePoolerIsKilledUnderEachFunction, in the middle of what that function says to the database, and is there again at the same place a while later. Postgres itself
// goes on, and with it what it was sent before.
func TestThePoolerIsKilledUnderEachFunction(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 2})
	w := increment{rows: 12_000, chunkRows: 500, slowly: 0.0005}.makeTable(t, db)
	pooler := s.behind(t)
	var a *attempt
	for _, under := range []struct {
		function, statement string
	}{{planner, w.table}, {worker, advance}, {governor, "backfill.runs"}} {
		down := make(chan struct{})
		kill := sync.OnceFunc(func() {
			pooler.Stop()
			close(down)
		})
		s.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
			if d.function == under.function && m.FromServer == (d.function == governor) && m.Runs && strings.Contains(m.SQL, under.statement) {
				kill() // before the message goes on: a statement is never heard, or its answer
			}
			return pgtest.Pass
		})
		if a == nil {
			a = s.start(t, w)
		}
		next(t, down)
		s.log.Await(t, patience, under.function, "Backfill.")
		pooler.Start(t)
	}
	a.completes(t)
}
