package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// limit sets the rate of the run; 0 lifts it.
func (b *bundle) limit(t *testing.T, rate int64) {
	t.Helper()
	_, err := b.ledger.Tune(t.Context(), theRun, ledger.Tuning{Rate: &rate})
	must(t, err)
}

// begin has a worker work on the chunk, and tells when it has left it.
func (b *bundle) begin(ctx context.Context, t *testing.T) <-chan error {
	t.Helper()
	w, left := b.worker(t, b.db.URL), make(chan error, 1)
	go func() { left <- w.Work(ctx, b.chunk.Message(1)) }()
	return left
}

// leaves demands that the worker leaves its chunk long before the limit would let it.
func leaves(t *testing.T, left <-chan error) {
	t.Helper()
	select {
	case err := <-left:
		must(t, err)
	case <-time.After(30 * time.Second):
		t.Fatal("it waits as if nothing had happened")
	}
}

func (b *bundle) scanned(t *testing.T) (keys int64) {
	t.Helper()
	must(t, b.conn.QueryRow(t.Context(), "SELECT scanned FROM backfill.ledger").Scan(&keys))
	return keys
}

// TestAChunkKeepsToTheRate, and is done once. While it waits nothing is locked, and no transaction is open.
func TestAChunkKeepsToTheRate(t *testing.T) {
	eachWayOnce(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		b.limit(t, rows/2)
		begun := time.Now()
		left := b.begin(t.Context(), t)
		idle := 0
		for waiting := true; waiting; {
			select {
			case err := <-left:
				must(t, err)
				waiting = false
			default:
				var rests bool
				must(t, b.conn.QueryRow(t.Context(), `SELECT coalesce(bool_and(state = 'idle' AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid)), false)
					FROM pg_stat_activity a WHERE datname = current_database() AND application_name = 'backfill test worker' AND query LIKE '%reserve%'`).Scan(&rests))
				if rests {
					idle++
				}
			}
		}
		if took := time.Since(begun); took < 1900*time.Millisecond {
			t.Errorf("%d rows at %d rows/s took %s", rows, rows/2, took)
		}
		if idle == 0 {
			t.Error("it was never seen at rest")
		}
		b.expectOnce(t)
	})
}

// TestALimitActsOnARunningChunk: set in the middle of it, and lifted. Each row takes a millisecond.
func TestALimitActsOnARunningChunk(t *testing.T) {
	eachWayOnce(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		b.exec(t, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN new; END $$`)
		b.exec(t, `CREATE TRIGGER slow BEFORE UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION slow()`)
		left := b.begin(t.Context(), t)
		pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM backfill.ledger WHERE scanned > 0)")
		b.limit(t, 20)
		pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM backfill.shares WHERE own < 0)")
		before, at := b.scanned(t), time.Now()
		pgtest.WaitUntil(t, b.conn, "SELECT clock_timestamp() > '"+at.UTC().Format(time.RFC3339Nano)+"'::timestamptz + interval '3 s'")
		// One batch may have been looked up before.
		if done := b.scanned(t) - before; done > 200 {
			t.Errorf("%d rows in 3 s at 20 rows/s", done)
		}
		b.exec(t, "DROP TRIGGER slow ON counters")
		b.limit(t, 0)
		leaves(t, left)
		b.expectOnce(t)
	})
}

// TestAWorkerWithoutRoomGivesItsChunkBack, be it that the function ends before, or that others have taken all there is.
func TestAWorkerWithoutRoomGivesItsChunkBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left   time.Duration
		before string
		reason string
	}{
		"the function ends": {5900 * time.Millisecond, "", "deadline of the function, while it waited"},
		"others work": {time.Minute, `UPDATE backfill.shares SET own = -20, asked_at = clock_timestamp() + interval '10 s'`,
			"no room for another worker"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := setup(t, db, counters)
				b.limit(t, 1)
				if c.before != "" {
					b.exec(t, c.before)
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.left)
				defer cancel()
				must(t, <-b.begin(ctx, t))
				if reason := b.expectLedger(t, chunk.Pending); !strings.Contains(reason, c.reason) {
					t.Error(reason)
				}
			})
		})
	}
}

// TestACancelIsHeardInTheMiddleOfAWait.
func TestACancelIsHeardInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		b.limit(t, 1)
		left := b.begin(t.Context(), t)
		pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM backfill.shares WHERE own < 0)")
		b.exec(t, "UPDATE backfill.runs SET state = 'CANCELLING'")
		leaves(t, left)
		if reason := b.expectLedger(t, chunk.Pending); !strings.Contains(reason, "BF002") {
			t.Error(reason)
		}
	})
}
