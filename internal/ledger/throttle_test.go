package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

const thousand = 1000.0

func number(n int64) *int64 { return &n }

// tune changes limits; "" is the database.
func (b *bundle) tune(t *testing.T, id string, tuning ledger.Tuning) run.Limits {
	t.Helper()
	limits, err := b.ledger.Tune(t.Context(), id, tuning)
	must(t, err)
	return limits
}

func (b *bundle) reserve(t *testing.T, id string, rows int64) ledger.Reservation {
	t.Helper()
	got, err := b.ledger.Reserve(t.Context(), claimOf(id), rows)
	must(t, err)
	return got
}

func claimOf(id string) ledger.Claim {
	return ledger.Claim{Message: chunk.Message{Run: id, Chunk: 1}, Owner: "me", Lease: terms.Lease, Stale: terms.Heartbeat}
}

// open begins more runs, each over a table of its own.
func (b *bundle) open(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := b.ledger.Open(t.Context(), describe(id, "t_"+id))
		must(t, err)
	}
}

// work reserves and waits as a worker does, until the time is over, and counts the rows by then.
func work(ctx context.Context, t *testing.T, db pgtest.Database, id string, until time.Time) (rows int64) {
	entries := newLedger(t, db)
	for time.Now().Before(until) {
		got, err := entries.Reserve(ctx, claimOf(id), 100)
		if err != nil {
			t.Error(err)
			return rows
		}
		if deadline.Rest(ctx, got.Wait) && time.Now().Before(until) {
			rows += got.Rows
		}
	}
	return rows
}

// TestTheRateHoldsForAllTogether: three runs of two workers each, of weights 2, 1 and 1, ask at the same time. A fourth one that
// asked once leaves its share to them.
func TestTheRateHoldsForAllTogether(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.open(t, "two", "three", "idle")
		b.tune(t, theRun, ledger.Tuning{Weight: number(2)})
		b.tune(t, "", ledger.Tuning{Rate: number(thousand)})
		b.reserve(t, "idle", 1)
		var mutex sync.Mutex
		var group sync.WaitGroup
		begun, rows, sum := time.Now(), map[string]int64{}, int64(0)
		for _, id := range []string{theRun, "two", "three", theRun, "two", "three"} {
			group.Go(func() {
				done := work(t.Context(), t, db, id, begun.Add(5*time.Second))
				mutex.Lock()
				defer mutex.Unlock()
				rows[id] += done
				sum += done
			})
		}
		group.Wait()
		took := time.Since(begun).Seconds()
		if most := thousand * (took + 1); float64(sum) > most || float64(sum) < 0.85*thousand*5 {
			t.Errorf("%d rows in %.2f s: %v", sum, took, rows)
		}
		for id, part := range map[string]float64{theRun: 0.5, "two": 0.25, "three": 0.25} {
			if got := float64(rows[id]) / float64(sum); got < part*0.8 || got > part*1.2 {
				t.Errorf("run %s has %.2f of all, want %.2f: %v", id, got, part, rows)
			}
		}
	})
}

// TestARunAloneHasTheWholeRate, and its own limit bounds it beside that of the database.
func TestARunAloneHasTheWholeRate(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for name, c := range map[string]struct{ own, database, want int64 }{
			"the database's": {0, 500, 500}, "its own": {500, 0, 500}, "the lower": {300, 500, 300}, "the lower, the other way": {500, 300, 300},
		} {
			b.exec(t, "DELETE FROM backfill.shares")
			b.tune(t, "", ledger.Tuning{Rate: &c.database})
			b.tune(t, theRun, ledger.Tuning{Rate: &c.own})
			first, second, third := b.reserve(t, theRun, 10_000), b.reserve(t, theRun, 10_000), b.reserve(t, theRun, 10_000)
			if first.Rows != c.want || second.Rows < c.want*9/10 || third.Rows != 0 {
				t.Errorf("%s: %d, %d and %d rows at once, want a second's worth ahead of time twice, then nothing", name, first.Rows, second.Rows, third.Rows)
			}
			for _, got := range []ledger.Reservation{first, second, third} {
				if !got.Limited || got.Wait > 2100*time.Millisecond {
					t.Errorf("%s: %+v", name, got)
				}
			}
		}
	})
}

func TestWithoutALimitNothingIsReserved(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.open(t, "other")
		limited := func(want bool) {
			t.Helper()
			if claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed); claim.Limited != want {
				t.Errorf("the claim says limited %v", claim.Limited)
			}
		}
		limited(false)
		if got := b.reserve(t, theRun, 7); got != (ledger.Reservation{Rows: 7}) {
			t.Errorf("%+v", got)
		}
		b.tune(t, "other", ledger.Tuning{Rate: number(5)})
		limited(false)
		b.tune(t, theRun, ledger.Tuning{Rate: number(5)})
		limited(true)
		b.tune(t, theRun, ledger.Tuning{Rate: number(0)})
		limited(false)
		b.tune(t, "", ledger.Tuning{Rate: number(5)})
		limited(true)
	})
}

// TestANewRateIsFollowedAtOnce: what was taken ahead of time at a high rate is no debt at a low one.
func TestANewRateIsFollowedAtOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for _, id := range []string{"", theRun} {
			b.tune(t, id, ledger.Tuning{Rate: number(100_000)})
			b.reserve(t, theRun, 1_000_000)
			b.tune(t, id, ledger.Tuning{Rate: number(10)})
			if got := b.reserve(t, theRun, 1_000_000); got.Rows < 1 || got.Rows > 10 || got.Wait > 1100*time.Millisecond {
				t.Errorf("%q: %+v", id, got)
			}
			b.tune(t, id, ledger.Tuning{Rate: number(0)})
		}
	})
}

func TestWhatIsGivenBackIsThereAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.tune(t, theRun, ledger.Tuning{Rate: number(100)})
	b.tune(t, "", ledger.Tuning{Rate: number(100)})
	b.reserve(t, theRun, 100)
	b.reserve(t, theRun, -100)
	if got := b.reserve(t, theRun, 100); got.Rows != 100 || got.Wait > time.Second {
		t.Fatalf("%+v", got)
	}
}

// TestARateOfLessThanARowForEachRun still moves each of them.
func TestARateOfLessThanARowForEachRun(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.open(t, "two", "three")
	b.tune(t, "", ledger.Tuning{Rate: number(1)})
	for _, id := range []string{theRun, "two", "three"} {
		b.reserve(t, id, -1) // it is active
	}
	for _, id := range []string{theRun, "two", "three"} {
		if got := b.reserve(t, id, 1); got.Rows != 1 || got.Wait > 4*time.Second {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

// TestWhoWaitsHearsOfTheRun, and keeps the lease.
func TestWhoWaitsHearsOfTheRun(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
		b.exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() + interval '1 s'")
		b.reserve(t, theRun, 1)
		var kept bool
		must(t, b.conn.QueryRow(t.Context(), "SELECT lease_until > clock_timestamp() + interval '50 min' FROM backfill.ledger").Scan(&kept))
		if !kept {
			t.Error("the lease would have run out in the middle of a wait")
		}
		for code, before := range map[string]func(){
			failure.HeartbeatStale: func() { unwatched(t, b) },
			failure.RunNotRunning:  func() { closing(t, b) },
		} {
			b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING', heartbeat = clock_timestamp()")
			before()
			_, err := b.ledger.Reserve(t.Context(), claimOf(theRun), 1)
			var raised interface{ SQLState() string }
			if !asError(err, &raised) || raised.SQLState() != code || !failure.Is(err, failure.LeaseLost) {
				t.Errorf("%v, want %s", err, code)
			}
		}
	})
}

// TestTuningLeavesTheRestAlone, and a database without the schema says so.
func TestTuningLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	if _, err := newLedger(t, db).Tune(t.Context(), "", ledger.Tuning{Rate: number(1)}); !failure.Is(err, failure.Invalid) {
		t.Error(err)
	}
	b := setup(t, db)
	b.tune(t, theRun, ledger.Tuning{Rate: number(70), Weight: number(3), By: "ann"})
	b.tune(t, "", ledger.Tuning{Rate: number(90), By: "bob"})
	got := b.tune(t, theRun, ledger.Tuning{Weight: number(2), By: "eve"})
	if text := fmt.Sprintf("%v %v %s %v %s", *got.Rate, got.Weight, got.By, *got.Database, got.DatabaseBy); text != "70 2 eve 90 bob" {
		t.Error(text)
	}
	if rate, whose := got.Least(); *rate != 70 || whose != "for this run (set by eve)" {
		t.Error(*rate, whose)
	}
}

// TestADecisionTakesNothingAway: what came in before it under a person's limit is still there, also where the signals set none.
func TestADecisionTakesNothingAway(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for name, set := range map[string]string{"a ceiling of the rate": "ceiling = 1000", "of WAL": "wal = 1e6, wal_rate = 1000", "a decided rate": "rate = 1000"} {
			b := setup(t, db)
			b.exec(t, "UPDATE backfill.throttle SET rate = NULL, ceiling = NULL, wal = NULL, wal_rate = NULL, decided_at = NULL")
			b.exec(t, "UPDATE backfill.throttle SET "+set)
			b.reserve(t, theRun, 1)
			b.exec(t, "UPDATE backfill.shares SET tokens = 0; UPDATE backfill.throttle SET refilled_at = clock_timestamp() - interval '900 ms'")
			was, err := b.ledger.Standing(t.Context(), theRun, 0)
			must(t, err)
			next := was
			if decided, err := b.ledger.Regulate(t.Context(), was, next); err != nil || !decided {
				t.Fatal(decided, err)
			}
			if got := b.reserve(t, theRun, 800); got.Rows != 800 || got.Wait > 0 {
				t.Errorf("%s: %+v, and 900 rows came in", name, got)
			}
		}
	})
}

// TestACeilingOfWALIsARateAtOnce: it is a low one until the next decision, follows a new ceiling, and is lifted with it.
func TestACeilingOfWALIsARateAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	for _, c := range []struct{ wal, want int64 }{{2_000_000, 1000}, {1_000_000, 500}, {4_000_000, 2000}, {0, 0}} {
		limits := b.tune(t, "", ledger.Tuning{WAL: &c.wal})
		got := b.reserve(t, theRun, 1)
		if rate := b.number(t, "SELECT coalesce(wal_rate, 0)::bigint FROM backfill.throttle"); rate != c.want || got.Limited != (c.want > 0) {
			t.Errorf("%d bytes/s: %d rows/s, %+v", c.wal, rate, got)
		}
		if limits.DatabaseWAL != nil && int64(*limits.DatabaseWAL) != c.wal {
			t.Errorf("%+v", limits)
		}
	}
	if log := b.look(t).Changes; log[0].Detail != "of the database: at most 2 MB/s of WAL" || log[3].Detail != "of the database: no limit of WAL" {
		t.Errorf("%+v", log)
	}
}
