package ledger_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// piece is chunk n of a run, of a hundred keys.
func piece(id string, n, send int64) chunk.Message {
	m := chunk.Message{Run: id, Chunk: n, Hi: keyset.Point{strconv.FormatInt(100*n, 10)}, Send: send}
	if n > 1 {
		m.Lo = keyset.Point{strconv.FormatInt(100*(n-1), 10)}
	}
	return m
}

// hold claims chunks of a run, each by an owner of its own.
func (b *bundle) hold(t *testing.T, id string, numbers ...int64) {
	t.Helper()
	for _, n := range numbers {
		b.claim(t, piece(id, n, 1), id+strconv.FormatInt(n, 10), ledger.Claimed)
	}
}

// surplus lists the chunks whose workers are told to give them back.
func (b *bundle) surplus(t *testing.T) string {
	t.Helper()
	var all string
	must(t, b.conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(run || ' ' || chunk, ', ' ORDER BY run, chunk), '') FROM backfill.seats() p
		WHERE (SELECT surplus FROM backfill.steer(p.run, p.chunk)) <> ''`).Scan(&all))
	return all
}

// TestAClaimWithoutASlotGivesTheChunkBack with a reason, and its message is spent. It goes on when a slot is free, be it that a
// chunk is done, that a worker is dead, or that the limit is lifted.
func TestAClaimWithoutASlotGivesTheChunkBack(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for name, c := range map[string]struct {
			id     string
			free   func(b *bundle)
			reason string
		}{
			"a chunk is done": {theRun, func(b *bundle) {
				b.exec(t, "UPDATE backfill.ledger SET state = 'COMPLETED', lease_until = NULL WHERE chunk = 1")
			}, "at most 1 worker at a time for this run"},
			"a worker is dead":     {"", func(b *bundle) { b.expire(t) }, "at most 1 worker at a time for all runs of the database"},
			"the limit is lifted":  {theRun, func(b *bundle) { b.tune(t, theRun, ledger.Tuning{Workers: number(0)}) }, "for this run"},
			"the limit is raised":  {"", func(b *bundle) { b.tune(t, "", ledger.Tuning{Workers: number(2)}) }, "of the database"},
			"the run is cancelled": {"", func(b *bundle) { b.exec(t, "UPDATE backfill.runs SET ended_at = now() WHERE run = 'other'") }, "of the database"},
		} {
			b := setup(t, db)
			b.exec(t, "TRUNCATE backfill.ledger, backfill.runs, backfill.shares, backfill.throttle; INSERT INTO backfill.throttle DEFAULT VALUES")
			b.open(t, theRun, "other")
			if name == "the run is cancelled" {
				b.hold(t, "other", 1)
			} else {
				b.hold(t, theRun, 1)
			}
			b.tune(t, c.id, ledger.Tuning{Workers: number(1)})
			refused := b.claim(t, piece(theRun, 2, 1), "me", ledger.Full)
			if !strings.Contains(refused.Reason, c.reason) || refused.Fence != 1 {
				t.Errorf("%s: %+v", name, refused)
			}
			b.claim(t, piece(theRun, 2, 1), "me", ledger.Spent)
			b.claim(t, piece(theRun, 2, 2), "me", ledger.Early)
			b.exec(t, "UPDATE backfill.ledger SET not_before = now() WHERE not_before IS NOT NULL")
			b.claim(t, piece(theRun, 2, 2), "me", ledger.Full)
			b.exec(t, "UPDATE backfill.ledger SET not_before = now() WHERE not_before IS NOT NULL")
			c.free(b)
			if claim := b.claim(t, piece(theRun, 2, 3), "me", ledger.Claimed); claim.Fence != 3 || claim.Surplus != "" {
				t.Errorf("%s: %+v", name, claim)
			}
			if n := b.number(t, "SELECT retries FROM backfill.ledger WHERE run = $1 AND chunk = 2", theRun); n != 0 {
				t.Errorf("%s: %d retries", name, n)
			}
		}
	})
}

// TestSlotsHoldWhoeverClaimsAtOnce: twelve workers of three runs, and room for four of them, two of a run.
func TestSlotsHoldWhoeverClaimsAtOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.open(t, "two", "three")
		b.tune(t, "", ledger.Tuning{Workers: number(4)})
		b.tune(t, theRun, ledger.Tuning{Workers: number(1)})
		var group sync.WaitGroup
		for _, id := range []string{theRun, "two", "three"} {
			for n := range int64(4) {
				entries := newLedger(t, db)
				group.Go(func() {
					if _, err := entries.Claim(t.Context(), piece(id, n+1, 1), id+strconv.FormatInt(n, 10)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		group.Wait()
		if n := b.number(t, "SELECT count(*) FROM backfill.seats()"); n != 4 {
			t.Errorf("%d at work, want 4", n)
		}
		if n := b.number(t, "SELECT count(*) FROM backfill.seats() WHERE run = $1", theRun); n > 1 {
			t.Errorf("%d of the run, want at most 1", n)
		}
		if n := b.number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PENDING' AND reason <> '' AND not_before IS NOT NULL"); n != 8 {
			t.Errorf("%d chunks were given back, want 8", n)
		}
		if all := b.surplus(t); all != "" {
			t.Errorf("%s have to leave", all)
		}
	})
}

// TestALowerLimitHasWorkersLeave, the last chunks of a run first, and of several runs as many as their weights say. As many stay as
// the limit allows.
func TestALowerLimitHasWorkersLeave(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.open(t, "two")
		b.hold(t, theRun, 1, 2, 3)
		b.hold(t, "two", 1, 2, 3)
		for _, c := range []struct {
			id     string
			tuning ledger.Tuning
			want   string
		}{
			{theRun, ledger.Tuning{Workers: number(2)}, "run-1 3"},
			{theRun, ledger.Tuning{Workers: number(1)}, "run-1 2, run-1 3"},
			{theRun, ledger.Tuning{Workers: number(0)}, ""},
			{"", ledger.Tuning{Workers: number(6)}, ""},
			{"", ledger.Tuning{Workers: number(4)}, "run-1 3, two 3"},
			{"two", ledger.Tuning{Weight: number(3)}, "run-1 2, run-1 3"},
			{"", ledger.Tuning{Workers: number(1)}, "run-1 1, run-1 2, run-1 3, two 2, two 3"},
			{"", ledger.Tuning{Workers: number(0)}, ""},
		} {
			b.tune(t, c.id, c.tuning)
			if got := b.surplus(t); got != c.want {
				t.Errorf("%s %s: %q have to leave, want %q", c.id, c.tuning, got, c.want)
			}
		}
		b.tune(t, "", ledger.Tuning{Workers: number(1)})
		if got := b.reserve(t, theRun, 1); !strings.Contains(got.Surplus, "at most 1 worker at a time for all runs") {
			t.Errorf("who waits for the rate is not told: %+v", got)
		}
	})
}

// TestASlotOfTheDatabaseIsKeptForWhoHasLessThanItsShare: two runs of weights 1 and 3 share four slots. What nobody wants any more goes
// to whoever asks.
func TestASlotOfTheDatabaseIsKeptForWhoHasLessThanItsShare(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.open(t, "two")
	b.tune(t, "", ledger.Tuning{Workers: number(4)})
	b.tune(t, "two", ledger.Tuning{Weight: number(3)})
	b.hold(t, theRun, 1, 2, 3, 4)
	b.claim(t, piece("two", 1, 1), "x", ledger.Full)
	b.exec(t, "UPDATE backfill.ledger SET state = 'COMPLETED' WHERE run = $1 AND chunk <= 2", theRun)
	if claim := b.claim(t, piece(theRun, 5, 1), "x", ledger.Full); claim.Reason != "a slot of the database is kept for another run" {
		t.Errorf("%+v", claim)
	}
	b.claim(t, piece("two", 2, 1), "x", ledger.Claimed)
	b.exec(t, "UPDATE backfill.shares SET wants_at = wants_at - interval '11 s' WHERE run <> $1", theRun)
	b.claim(t, piece(theRun, 6, 1), "x", ledger.Claimed)
}

// TestNoMoreIsSentThanSlotsCanTake, and a message that was lost does not take the place of one for ever.
func TestNoMoreIsSentThanSlotsCanTake(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.open(t, "two")
	for n := range int64(5) {
		must(t, second(b.ledger.Release(t.Context(), b.claim(t, piece(theRun, n+1, 1), "x", ledger.Claimed), 0, "deadline")))
	}
	sends := func(want int) []ledger.Again {
		t.Helper()
		_, again, err := b.ledger.Beat(t.Context(), theRun, 10)
		must(t, err)
		if len(again) != want {
			t.Fatalf("%d chunks are to be sent, want %d", len(again), want)
		}
		return again
	}
	sends(5)
	b.tune(t, theRun, ledger.Tuning{Workers: number(2)})
	must(t, b.ledger.Sent(t.Context(), theRun, sends(2)))
	sends(0)
	b.exec(t, "UPDATE backfill.ledger SET sent_at = now() - interval '1 h' WHERE sent_at IS NOT NULL")
	sends(2)
	b.exec(t, "UPDATE backfill.ledger SET sent = send")
	b.hold2(t, 1, 2)
	sends(1)
	b.hold2(t, 2, 2)
	sends(0)
	b.tune(t, theRun, ledger.Tuning{Workers: number(0)})
	sends(3)
	b.tune(t, "", ledger.Tuning{Workers: number(2)})
	sends(0)
	b.tune(t, "", ledger.Tuning{Workers: number(3)})
	sends(1)
	b.hold(t, "two", 1)
	sends(0)
	b.exec(t, "UPDATE backfill.ledger SET state = 'PENDING' WHERE run = $1", theRun)
	b.hold(t, "two", 2, 3)
	sends(1) // all slots are taken, and it has none: it asks for its share
}

// hold2 claims a chunk of the run by a later send.
func (b *bundle) hold2(t *testing.T, n, send int64) {
	t.Helper()
	b.claim(t, piece(theRun, n, send), "holder", ledger.Claimed)
}

func second(_ bool, err error) error { return err }

// TestTheRateSaysHowManyWorkersItHasUseFor: a rate between two bounds has nobody come and go.
func TestTheRateSaysHowManyWorkersItHasUseFor(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.hold(t, theRun, 1, 2, 3)
	b.tune(t, theRun, ledger.Tuning{Rate: number(20_000)})
	for _, c := range []struct {
		rate, makes int64
		useful      int64
		surplus     string
	}{
		{20_000, 10_000, 3, ""}, {20_000, 500, 3, ""}, // one that has just begun
		{14_000, 10_000, 2, ""}, {10_000, 10_000, 2, ""}, {7000, 10_000, 1, "run-1 3"}, {100, 10_000, 1, "run-1 3"},
	} {
		b.tune(t, theRun, ledger.Tuning{Rate: &c.rate})
		b.reserve(t, theRun, c.makes)
		progress, err := b.ledger.Look(t.Context(), theRun)
		must(t, err)
		if got := b.surplus(t); got != c.surplus || progress.Useful == nil || *progress.Useful != c.useful {
			t.Errorf("%d rows/s, %d of a worker: %q leave, want %q; use for %v, want %d", c.rate, c.makes, got, c.surplus, progress.Useful, c.useful)
		}
	}
	if refused := b.claim(t, piece(theRun, 4, 1), "x", ledger.Full); refused.Reason != "the rate has no use for another worker" {
		t.Errorf("%+v", refused)
	}
	// One that takes over begins when the last chunk at work is nearly done, and only one.
	b.exec(t, "UPDATE backfill.ledger SET state = 'PENDING' WHERE chunk <> 1; UPDATE backfill.runs SET change = (change::jsonb || '{\"chunk_rows\": 1000}')::json")
	b.claim(t, piece(theRun, 7, 1), "x", ledger.Full)
	b.exec(t, "UPDATE backfill.ledger SET scanned = 701 WHERE chunk = 1")
	b.hold(t, theRun, 8)
	b.claim(t, piece(theRun, 9, 1), "x", ledger.Full)
	b.exec(t, "UPDATE backfill.ledger SET state = 'PROCESSING' WHERE chunk < 4")
	b.tune(t, theRun, ledger.Tuning{Rate: number(0)})
	if got := b.surplus(t); got != "" {
		t.Errorf("%s leave without a limit", got)
	}
	b.hold(t, theRun, 5)
	progress, err := b.ledger.Look(t.Context(), theRun)
	if must(t, err); progress.Useful != nil || progress.Leases != 5 {
		t.Errorf("%+v", progress)
	}
	b.tune(t, theRun, ledger.Tuning{Rate: number(100)})
	b.exec(t, "UPDATE backfill.shares SET asked_at = asked_at - interval '11 s'")
	b.hold(t, theRun, 6) // nobody knows any more what a worker makes
}
