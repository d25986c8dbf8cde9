package ledger_test

import (
	"sync"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

func TestClaimVerdicts(t *testing.T) {
	first := message(1, "", "100", 1)
	cases := map[string]struct {
		before func(t *testing.T, b *bundle)
		send   int64
		want   ledger.Verdict
	}{
		"a new chunk":                            {func(*testing.T, *bundle) {}, 1, ledger.Claimed},
		"a duplicate while the lease lives":      {claimed, 1, ledger.Leased},
		"a later send while the lease lives":     {claimed, 2, ledger.Leased},
		"the same send after the lease expired":  {expired, 1, ledger.Claimed},
		"a later send after the lease expired":   {expired, 2, ledger.Claimed},
		"an older send after the lease expired":  {expiredSecond, 1, ledger.Spent},
		"the send that was given back":           {released(0), 1, ledger.Spent},
		"the next send after it was given back":  {released(0), 2, ledger.Claimed},
		"the next send before the pause is over": {released(time.Hour), 2, ledger.Early},
		"a chunk that is completed":              {func(t *testing.T, b *bundle) { b.finish(t, first) }, 2, ledger.Done},
		"a chunk that failed":                    {failed, 2, ledger.Broken},
		"a run that is closing":                  {closing, 1, ledger.Closed},
		"a run without heartbeat":                {unwatched, 1, ledger.Unwatched},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				b.exec(t, "DELETE FROM backfill.ledger")
				b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING', ended_at = NULL, heartbeat = clock_timestamp()")
				c.before(t, b)
				b.claim(t, message(1, "", "100", c.send), "late", c.want)
			})
		}
	})
}

func claimed(t *testing.T, b *bundle) { b.claim(t, message(1, "", "100", 1), "early", ledger.Claimed) }
func expired(t *testing.T, b *bundle) { claimed(t, b); b.expire(t) }

func expiredSecond(t *testing.T, b *bundle) {
	b.claim(t, message(1, "", "100", 2), "early", ledger.Claimed)
	b.expire(t)
}

func released(pause time.Duration) func(*testing.T, *bundle) {
	return func(t *testing.T, b *bundle) {
		claim := b.claim(t, message(1, "", "100", 1), "early", ledger.Claimed)
		released, err := b.ledger.Release(t.Context(), claim, pause, "deadline")
		must(t, err)
		if !released {
			t.Fatal("the holder could not give its chunk back")
		}
	}
}

func failed(t *testing.T, b *bundle) {
	claim := b.claim(t, message(1, "", "100", 1), "early", ledger.Claimed)
	if _, err := b.ledger.Fail(t.Context(), claim, "23505"); err != nil {
		t.Fatal(err)
	}
}

func closing(t *testing.T, b *bundle) {
	_, err := b.ledger.Close(t.Context(), theRun, "", run.Cancelled, "enough")
	must(t, err)
}

func unwatched(t *testing.T, b *bundle) {
	b.exec(t, "UPDATE backfill.runs SET heartbeat = clock_timestamp() - $1::interval", terms.Heartbeat+time.Second)
}

func TestTheSameOwnerClaimsAgainWithAHigherFence(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	first := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	must(t, b.advance(first, ledger.Step{Keys: 40, Reached: keyset.Point{"40"}}))
	again := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	if again.Fence != first.Fence+1 || again.Seq != 1 || again.Scanned != 40 || !again.From().Same(keyset.Point{"40"}) {
		t.Fatalf("claimed again: %+v after %+v", again, first)
	}
	if err := b.advance(first, ledger.Step{Keys: 1, Reached: keyset.Point{"41"}}); !failure.Is(err, failure.LeaseLost) {
		t.Fatalf("the older claim advanced: %v", err)
	}
}

// TestRetriesAreClaims: a fence that a close or a rollback takes away is none.
func TestRetriesAreClaims(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		retries := func(want int64) {
			t.Helper()
			progress, _, err := b.ledger.Beat(t.Context(), theRun, 10)
			must(t, err)
			if progress.Retries != want {
				t.Fatalf("%d retries, want %d", progress.Retries, want)
			}
		}
		b.finish(t, message(1, "", "100", 1))
		b.claim(t, message(2, "100", "200", 1), "dead", ledger.Claimed)
		b.expire(t)
		closing(t, b)
		_, _, err := b.ledger.Finish(t.Context(), theRun)
		must(t, err)
		retries(0)
		_, err = b.ledger.Revive(t.Context(), theRun, "arn:resume")
		must(t, err)
		b.claim(t, message(2, "100", "200", 2), "another", ledger.Claimed)
		retries(1)
		b.claim(t, message(2, "100", "200", 2), "another", ledger.Claimed) // after a lost answer
		retries(2)
		b.exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) VALUES ($1, 2, 0, 0, 1, '')", theRun)
		b.end(t, run.Cancelled)
		_, err = b.ledger.Reverse(t.Context(), theRun, "arn:rollback", nil)
		must(t, err)
		b.claim(t, message(2, "100", "200", 3), "first back", ledger.Claimed)
		retries(2)
		b.expire(t)
		b.claim(t, message(2, "100", "200", 4), "second back", ledger.Claimed)
		retries(3)
	})
}

// TestWhatIsGivenBackOnPurposeIsNoRetry: a pause, a limit or a deadline is no trouble. What is behind an error is, and the report knows of every chunk that somebody has been at.
func TestWhatIsGivenBackOnPurposeIsNoRetry(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	send := int64(1)
	for _, c := range []struct {
		reason string
		want   int64
	}{
		{"run run-1 is PAUSING", 0}, {"at most 1 worker at a time for this run", 0}, {"deadline of the function", 0}, {ledger.NoRoom, 0},
		{ledger.BackingOff + "SQLSTATE 55P03 (lock_not_available)", 1}, {"deadline of the function", 1},
	} {
		claim := b.claim(t, message(1, "", "100", send), "worker", ledger.Claimed)
		must(t, b.advance(claim, ledger.Step{Keys: 10, Reached: keyset.Point{"10"}}))
		released, err := b.ledger.Release(t.Context(), claim, 0, c.reason)
		if err != nil || !released {
			t.Fatal(released, err)
		}
		if left := b.look(t); left.Begun != 1 || left.Pending != 1 {
			t.Errorf("%s: %+v", c.reason, left)
		}
		facts, err := b.ledger.Report(t.Context(), theRun, 1)
		if err != nil || facts.Cells[0].Claimed != 1 || facts.Cells[0].Attempts == 0 {
			t.Errorf("%s: %+v, %v", c.reason, facts.Cells, err)
		}
		send++
		claim = b.claim(t, message(1, "", "100", send), "another", ledger.Claimed)
		if got := b.look(t); got.Retries != c.want || got.Begun != 0 {
			t.Errorf("%s: %d retries, want %d; %d begun", c.reason, got.Retries, c.want, got.Begun)
		}
		if released, err = b.ledger.Release(t.Context(), claim, 0, "deadline of the function"); err != nil || !released {
			t.Fatal(released, err)
		}
		send++
	}
}

func TestThreeDeliveriesAtOnceAreOneClaim(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for round := range int64(20) {
			verdicts := make([]ledger.Verdict, 3)
			var all sync.WaitGroup
			for i := range verdicts {
				other := newLedger(t, b.db)
				all.Go(func() {
					claim, err := other.Claim(t.Context(), message(round+1, "", "100", 1), string(rune('a'+i)))
					if err != nil {
						t.Error(err)
					}
					verdicts[i] = claim.Verdict
				})
			}
			all.Wait()
			count := map[ledger.Verdict]int{}
			for _, verdict := range verdicts {
				count[verdict]++
			}
			if count[ledger.Claimed] != 1 || count[ledger.Leased] != 2 {
				t.Fatalf("round %d: %v", round, verdicts)
			}
		}
	})
}
