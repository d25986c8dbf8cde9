package faults

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// one is work of one chunk, in several batches.
var one = increment{rows: 4000, chunkRows: 4000, slowly: 0.0002}

// oneChunk is it by turns.
func oneChunk(t *testing.T, db pgtest.Database) increment {
	t.Helper()
	return one.byTurns(t, db).makeTable(t, db)
}

// held is a batch on its way.
type held struct {
	by   *door
	pass chan struct{}
}

// holding holds batches at their first message, counted over all workers, until they are let pass. A connection
// prepares the statement once before its first batch: that counts as well.
func (s *stack) holding(which ...int) <-chan held {
	batches, seen := make(chan held, len(which)), make(chan int, 1)
	seen <- 0
	s.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
		if d.function != worker || !strings.Contains(m.Statement, advance) {
			return pgtest.Pass
		}
		n := <-seen + 1
		seen <- n
		if slices.Contains(which, n) {
			h := held{by: d, pass: make(chan struct{})}
			batches <- h
			<-h.pass
		}
		return pgtest.Pass
	})
	return batches
}

// next waits for what happens next, with a deadline.
func next[T any](t *testing.T, events <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case event := <-events:
		return event
	case <-timer.C:
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

// entry reads the one chunk of a run.
func entry(t *testing.T, conn *pgx.Conn, id string) (fence, seq, affected int64) {
	t.Helper()
	must(t, conn.QueryRow(t.Context(), "SELECT fence, seq, affected FROM backfill.ledger WHERE run = $1", id).Scan(&fence, &seq, &affected))
	return fence, seq, affected
}

// TestAWorkerThatWasStoppedPastItsLeaseWritesNothing: its batch arrives between its successor's claim and first batch,
// so that only the fence tells the two apart.
func TestAWorkerThatWasStoppedPastItsLeaseWritesNothing(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		s, w := deploy(t, db, plan{workers: 2}), oneChunk(t, db)
		batches, conn := s.holding(w.nth(4), w.nth(5)), db.Connect(t)
		a := s.start(t, w)
		zombie := next(t, batches)
		zombie.by.Pause()
		w.expectAmid(t, conn)
		successor := next(t, batches) // its claim has waited for the lease to end
		fence, seq, affected := entry(t, conn, a.id)
		close(zombie.pass)
		zombie.by.Continue()
		s.log.Await(t, patience, zombie.by.Name, "chunk left", fmt.Sprintf(`"fence":%d`, fence-1))
		if f, q, n := entry(t, conn, a.id); f != fence || q != seq || n != affected {
			t.Errorf("the zombie wrote: fence %d -> %d, batches %d -> %d, rows %d -> %d", fence, f, seq, q, affected, n)
		}
		close(successor.pass)
		a.completes(t)
	})
}

// TestABatchOfWhichHalfArrives: Postgres has carried out the statements and waits for the word to commit, which does
// not come. The connection lives on; the locks must not. Postgres can see to that from version 17 on.
func TestABatchOfWhichHalfArrives(t *testing.T) {
	eachWay(t, one, func(t *testing.T, w increment) {
		db := pgtest.Newest(t)
		s := deploy(t, db, plan{workers: 2})
		var batches atomic.Int64
		half, end := make(chan *door, 1), make(chan struct{})
		sent := before(worker, advance, 0)
		s.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
			if sent.meetsMessage(d, m) && batches.Add(1) == int64(w.nth(3)) {
				d.Pause()
				half <- d
				<-end
			}
			return pgtest.Pass
		})
		w = w.makeTable(t, db)
		a := s.start(t, w)
		zombie := next(t, half)
		w.expectAmid(t, db.Connect(t))
		a.completes(t)
		close(end)
		zombie.Continue()
	})
}

// TestAWorkerThatWasStoppedBetweenBatches goes on when its successor is done: it leaves the chunk as it is.
func TestAWorkerThatWasStoppedBetweenBatches(t *testing.T) {
	eachWay(t, one, func(t *testing.T, w increment) {
		db := pgtest.Newest(t)
		s := deploy(t, db, plan{workers: 2})
		var batches atomic.Int64
		stopped := make(chan *door, 1)
		committed := after(worker, advance, 0)
		s.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
			if committed.meetsMessage(d, m) && batches.Add(1) == int64(w.nth(1)) {
				d.Pause()
				stopped <- d
			}
			return pgtest.Pass
		})
		w = w.makeTable(t, db)
		a := s.start(t, w)
		zombie := next(t, stopped)
		w.expectAmid(t, db.Connect(t))
		pgtest.WaitUntil(t, db.Connect(t), fmt.Sprintf("SELECT EXISTS (SELECT FROM backfill.ledger WHERE run = '%s' AND state = 'COMPLETED')", a.id))
		zombie.Continue()
		s.log.Await(t, patience, zombie.Name, "chunk left")
		a.completes(t)
	})
}

// TestAStatementOutlivesItsFunction: the process is gone while Postgres works on its batch, which is then counted, once.
func TestAStatementOutlivesItsFunction(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		w := increment{rows: 2000, chunkRows: 2000, slowly: 0.005}.makeTable(t, db)
		s := deploy(t, db, plan{workers: 1})
		a := s.start(t, w)
		s.log.Await(t, patience, "page planned")
		working := fmt.Sprintf(`FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
			AND query LIKE '%%%s%%'`, w.table)
		conn := db.Connect(t)
		pgtest.WaitUntil(t, conn, "SELECT EXISTS (SELECT "+working+" AND wait_event = 'PgSleep')")
		s.doors[len(s.doors)-1].Kill()
		if number(t, conn, "SELECT count(*) "+working) == 0 {
			t.Fatal("the statement ended with its function")
		}
		a.completes(t)
	})
}

// TestAStatementOutlivesTheLease: Postgres' own process hangs in the middle of a batch until the lease is over. The
// successor's claim waits for it, and goes on behind what it has committed.
func TestAStatementOutlivesTheLease(t *testing.T) {
	onACluster(t, func(t *testing.T, c *cluster.Cluster) {
		db := c.Database()
		w := increment{rows: 2000, chunkRows: 2000, slowly: 0.002}.makeTable(t, db)
		s := deploy(t, db, plan{workers: 1})
		a := s.start(t, w)
		s.log.Await(t, patience, "page planned")
		conn := db.Connect(t)
		// Between two rows it does not sleep, for a moment.
		working := "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%" + w.table + "%'"
		pgtest.WaitUntil(t, conn, "SELECT EXISTS ("+working+" AND wait_event = 'PgSleep')")
		pid := number(t, conn, working)
		thaw := cluster.Freeze(t, int(pid))
		s.doors[len(s.doors)-1].Kill()
		pgtest.WaitUntil(t, conn, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%backfill.claim%'
			AND pid <> pg_backend_pid())`)
		thaw()
		a.completes(t)
	})
}
