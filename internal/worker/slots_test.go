package worker_test

import (
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// seats counts who is at work, of all runs and of one.
func (f *fleet) seats(t *testing.T, id string) (all, own int64) {
	t.Helper()
	must(t, f.conn.QueryRow(t.Context(), "SELECT count(*), count(*) FILTER (WHERE run = $1) FROM backfill.seats()", id).Scan(&all, &own))
	return all, own
}

// expectAtMost looks again and again, until workers have made so many batches more, that no more are at work.
func (f *fleet) expectAtMost(t *testing.T, batches, most, own int64) {
	t.Helper()
	count := func() (n int64) {
		must(t, f.conn.QueryRow(t.Context(), "SELECT sum(seq)::bigint FROM backfill.ledger").Scan(&n))
		return n
	}
	for until := count() + batches; count() < until; {
		if all, first := f.seats(t, f.runs[0]); all > most || first > own {
			t.Fatalf("%d are at work, %d of them of %s; want at most %d and %d", all, first, f.runs[0], most, own)
		}
	}
}

// TestWorkersKeepToTheSlots: six workers of three runs. A limit that is lowered in the middle of their chunks has some given back, and
// is kept from then on; one that is lifted lets all of them work again. Each row is written once.
func TestWorkersKeepToTheSlots(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	f := newFleet(t, db, 20_000, 5000, 200*time.Microsecond, "one", "two", "three")
	f.begin(t, 6)
	f.until(t, "SELECT count(*) = 6 FROM backfill.seats()")
	lower := func(id string, workers int64, kept string) {
		t.Helper()
		f.tune(t, id, ledger.Tuning{Workers: &workers})
		f.until(t, kept)
	}
	lower("", 2, "SELECT count(*) <= 2 FROM backfill.seats()")
	f.expectAtMost(t, 20, 2, 2)
	lower("one", 1, "SELECT count(*) <= 1 FROM backfill.seats() WHERE run = 'one'")
	f.tune(t, "", ledger.Tuning{Workers: number(5)})
	f.until(t, "SELECT count(*) >= 3 FROM backfill.seats()")
	f.expectAtMost(t, 20, 5, 1)
	f.tune(t, "", ledger.Tuning{Workers: number(0)})
	f.tune(t, "one", ledger.Tuning{Workers: number(0)})
	f.until(t, "SELECT count(*) = 6 FROM backfill.seats()")
	f.end(t)
	var tries, given int64
	must(t, f.conn.QueryRow(t.Context(), "SELECT max(retries), count(*) FILTER (WHERE fence > 1) FROM backfill.ledger").Scan(&tries, &given))
	if given == 0 {
		t.Error("no chunk was ever given back")
	}
}

// TestTheSlotOfADeadWorkerIsFreeWithItsLease.
func TestTheSlotOfADeadWorkerIsFreeWithItsLease(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	f := newFleet(t, db, 2000, 1000, 0, "one")
	f.tune(t, "", ledger.Tuning{Workers: number(1)})
	first := <-f.queue
	claim, err := ledger.New(f.session(t, db.URL), ledger.Terms{Lease: 2 * time.Second, Heartbeat: time.Hour}).Claim(t.Context(), first, "dead")
	must(t, err)
	if claim.Verdict != ledger.Claimed {
		t.Fatalf("%+v", claim)
	}
	must(t, f.worker(t, db.URL).Work(t.Context(), <-f.queue))
	var state chunk.State
	var reason string
	must(t, f.conn.QueryRow(t.Context(), "SELECT state, reason FROM backfill.ledger WHERE chunk = 2").Scan(&state, &reason))
	if state != chunk.Pending || reason != "at most 1 worker at a time for all runs of the database" {
		t.Errorf("%s %s", state, reason)
	}
	if last := f.checkpoints.states; len(last) != 1 || last[0] != chunk.Pending {
		t.Errorf("the record says %v", last)
	}
	f.begin(t, 2)
	f.end(t)
}

// TestTheRateSaysHowManyWork: one worker makes what the rate allows. Of four that begin at once all but it and one that would take over
// leave, and then nobody comes and goes.
func TestTheRateSaysHowManyWork(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	f := newFleet(t, db, 80_000, 20_000, 0, "one")
	f.tune(t, "one", ledger.Tuning{Rate: number(1500)})
	f.begin(t, 4)
	f.until(t, "SELECT coalesce(sum(scanned), 0) > 6000 FROM backfill.ledger")
	claims := func() (n int64) {
		must(t, f.conn.QueryRow(t.Context(), "SELECT sum(fence)::bigint FROM backfill.ledger").Scan(&n))
		return n
	}
	before := claims()
	f.until(t, "SELECT coalesce(sum(scanned), 0) > 12000 FROM backfill.ledger")
	if more := claims() - before; more > 0 {
		t.Errorf("%d claims in the middle of a chunk", more)
	}
	if all, _ := f.seats(t, "one"); all > 2 {
		t.Errorf("%d are at work", all)
	}
	f.tune(t, "one", ledger.Tuning{Rate: number(0)})
	f.end(t)
}
