package ledger_test

import (
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"
)

var next = ledger.Step{Keys: 10, Reached: keyset.Point{"10"}}

func TestAdvanceRaisesUnlessTheClaimHolds(t *testing.T) {
	cases := map[string]func(t *testing.T, b *bundle, claim *ledger.Claim){
		failure.StaleFence + " by a successor": func(t *testing.T, b *bundle, _ *ledger.Claim) {
			b.expire(t)
			b.claim(t, message(1, "", "100", 1), "successor", ledger.Claimed)
		},
		failure.StaleFence + " by a batch that was committed before": func(t *testing.T, b *bundle, claim *ledger.Claim) {
			must(t, b.advance(*claim, next))
		},
		failure.StaleFence + " by a release": func(t *testing.T, b *bundle, claim *ledger.Claim) {
			_, err := b.ledger.Release(t.Context(), *claim, 0, "deadline")
			must(t, err)
		},
		failure.StaleFence + " by the same fence of another time": func(t *testing.T, b *bundle, claim *ledger.Claim) {
			b.exec(t, "DELETE FROM backfill.ledger") // as a restore to before the claim does
			if again := b.claim(t, message(1, "", "100", 1), "successor", ledger.Claimed); again.Fence != claim.Fence || again.Seq != claim.Seq {
				t.Fatalf("the fences were not given out again: %+v", again)
			}
		},
		failure.RunNotRunning + " by a cancel": func(t *testing.T, b *bundle, _ *ledger.Claim) { closing(t, b) },
		failure.HeartbeatStale + " by a silent governor": func(t *testing.T, b *bundle, _ *ledger.Claim) {
			unwatched(t, b)
		},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for name, before := range cases {
			t.Run(name, func(t *testing.T) {
				b.exec(t, "DELETE FROM backfill.ledger")
				b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING', heartbeat = clock_timestamp()")
				claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
				before(t, b, &claim)
				err := b.advance(claim, next)
				var raised interface{ SQLState() string }
				if !asError(err, &raised) || raised.SQLState() != name[:5] || !failure.Is(err, failure.LeaseLost) {
					t.Fatalf("advance: %v, want SQLSTATE %s", err, name[:5])
				}
			})
		}
	})
}

// TestASuccessorWaitsForTheZombie: a lease that ran out in the middle of a transaction. The claim waits for its end
// and takes over the position that it left.
func TestASuccessorWaitsForTheZombie(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		claim := b.claim(t, message(1, "", "100", 1), "zombie", ledger.Claimed)
		b.expire(t)
		zombie, err := db.Connect(t).Begin(t.Context())
		must(t, err)
		sql, args := claim.Advance(ledger.Step{Keys: 10, Reached: keyset.Point{"10"}, Timeout: time.Minute})
		_, err = zombie.Exec(t.Context(), sql, args...)
		must(t, err)
		taken := make(chan ledger.Claim)
		go func() {
			successor, err := newLedger(t, db).Claim(t.Context(), message(1, "", "100", 1), "successor")
			if err != nil {
				t.Error(err)
			}
			taken <- successor
		}()
		pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) "+
			"WHERE NOT l.granted AND a.datname = current_database())")
		must(t, zombie.Commit(t.Context()))
		// The zombie's batch renewed the lease, so the successor is refused; after the lease it sees the batch.
		if successor := <-taken; successor.Verdict != ledger.Leased || successor.Seq != 1 {
			t.Fatalf("successor: %+v", successor)
		}
		b.expire(t)
		if after := b.claim(t, message(1, "", "100", 1), "successor", ledger.Claimed); !after.From().Same(keyset.Point{"10"}) {
			t.Fatalf("successor begins at %v, the zombie had reached 10", after.From())
		}
	})
}

func TestSettingsOfABatchEndWithIt(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	must(t, b.advance(claim, next))
	var lock, scan string
	must(t, b.conn.QueryRow(t.Context(),
		"SELECT current_setting('lock_timeout'), current_setting('enable_seqscan')").Scan(&lock, &scan))
	if lock != "0" || scan != "on" {
		t.Fatalf("after the batch: lock_timeout %s, enable_seqscan %s", lock, scan)
	}
}

func TestAClosingRunEndsWhenNoLeaseLives(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.move(t, run.Planning, run.Running)
		claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
		_, err := b.ledger.Close(t.Context(), theRun, "", run.Failed, "chunk 7: broken")
		must(t, err)
		b.expectState(t, run.Cancelling)
		b.expire(t)
		b.expectState(t, run.Failed)
		if err := b.advance(claim, next); !failure.Is(err, failure.LeaseLost) {
			t.Fatalf("a batch was committed after the end of the run: %v", err)
		}
		_, err = b.ledger.Open(t.Context(), describe("run-2", "users"))
		must(t, postgres.Classify(err))
	})
}

func (b *bundle) expectState(t *testing.T, want run.State) {
	t.Helper()
	state, reason, err := b.ledger.Finish(t.Context(), theRun)
	must(t, err)
	if state != want || reason != "chunk 7: broken" {
		t.Fatalf("run is %s (%s), want %s", state, reason, want)
	}
}
