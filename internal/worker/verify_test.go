package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	"golang.org/x/sync/errgroup"
)

// certain is a change whose rows tell what they should hold.
var certain = change.Change{
	Kind: change.Set, Table: counters.Table, Key: counters.Key, Undo: true, ChunkRows: rows, Verify: &change.Verify{Values: true},
	Set: []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "id::int * 2"}},
}

// begun is a run that is COMPLETED, and is being verified; deviate is what users did between the two.
func begun(t *testing.T, db pgtest.Database, c change.Change, deviate string, mends bool) *bundle {
	t.Helper()
	b := setup(t, db, c)
	must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectLedger(t, chunk.Completed)
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	b.exec(t, deviate)
	b.verify(t, "arn:verify", mends)
	return b
}

func (b *bundle) verify(t *testing.T, execution string, mends bool) {
	t.Helper()
	_, err := b.ledger.Verify(t.Context(), theRun, execution, mends)
	must(t, err)
}

func (b *bundle) found(t *testing.T) ledger.Verified {
	t.Helper()
	found, err := b.ledger.Verified(t.Context(), theRun)
	must(t, err)
	return found
}

// TestEveryLostConnectionOfAVerificationIsFound: it is cut before and after each message; each deviation is counted and written once, and
// each row is looked at once.
func TestEveryLostConnectionOfAVerificationIsFound(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := begun(t, db, certain, "UPDATE counters SET n = -1 WHERE id % 40 = 7", true)
		again := b.keep(t, "counters", "backfill.ledger", "backfill.undo")
		var digest string
		proxy := pgtest.NewProxy(t, db)
		for kind, fromServer := range map[byte]bool{pgtest.Sync: false, pgtest.ReadyForQuery: true} {
			n, all := int64(1), false
			for ; !all; n = pgtest.After(n, 3) {
				b.db.Exec(t, again)
				var seen atomic.Int64
				proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && seen.Add(1) == n })
				must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(2)))
				b.expectLedger(t, chunk.Completed)
				found := b.found(t)
				if digest == "" {
					digest = found.Digest
				}
				if found.Looked != rows || found.Fitting != rows || found.Deviating != 100 || found.Mended != 100 || found.Digest != digest {
					t.Fatalf("cut at message %d of kind %c: %+v, the digest was %s", n, kind, found, digest)
				}
				b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> id * 2", 0, "SELECT affected FROM backfill.ledger", rows+100,
					"SELECT sum(rows) FROM backfill.undo", rows+100)
				all = seen.Load() < n
			}
			if n < 10 {
				t.Fatalf("a verification has only %d messages of kind %c", n, kind)
			}
		}
	})
}

// expectNumbers takes queries and what they give.
func (b *bundle) expectNumbers(t *testing.T, pairs ...any) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		var got int64
		must(t, b.conn.QueryRow(t.Context(), pairs[i].(string)).Scan(&got))
		if want := int64(pairs[i+1].(int)); got != want {
			t.Fatalf("%s: %d, want %d", pairs[i], got, want)
		}
	}
}

// TestAVerificationGoesOnWhereItWasPaused: the worker leaves at the next batch, and what it had looked at stays counted once.
func TestAVerificationGoesOnWhereItWasPaused(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := begun(t, db, certain, "UPDATE counters SET n = -1 WHERE id % 40 = 7", true)
		// The verification stands still at a row that a user holds; by then it has looked at others.
		holder := db.Connect(t)
		tx, err := holder.Begin(t.Context())
		must(t, err)
		_, err = tx.Exec(t.Context(), "SELECT FROM counters WHERE id = 2007 FOR UPDATE")
		must(t, err)
		var delivery errgroup.Group
		delivery.Go(func() error { return b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)) })
		pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())")
		_, err = b.ledger.Pause(t.Context(), theRun, "ann", "lunch")
		must(t, err)
		must(t, delivery.Wait())
		b.expectLedger(t, chunk.Pending)
		before := b.found(t)
		if before.Looked == 0 || before.Looked >= rows {
			t.Fatalf("%+v", before)
		}
		must(t, tx.Rollback(t.Context()))
		_, _, err = b.ledger.Rest(t.Context(), theRun)
		must(t, err)
		_, err = b.ledger.Unpause(t.Context(), theRun, "ann", "")
		must(t, err)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(3)))
		b.expectLedger(t, chunk.Completed)
		if found := b.found(t); found.Looked != rows || found.Deviating != 100 || found.Mended != 100 {
			t.Fatalf("%+v", found)
		}
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> id * 2", 0)
	})
}

// TestACancelledVerificationIsRolledBackWithTheRun: what it has written stays, and the run is COMPLETED, so that it can be rolled back.
func TestACancelledVerificationIsRolledBackWithTheRun(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := begun(t, db, certain, "UPDATE counters SET n = -1 WHERE id % 40 = 7", true)
		proxy := pgtest.NewProxy(t, db)
		var seen atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		proxy.CutWhen(func(server bool, k byte) bool {
			if !server && k == pgtest.Sync && seen.Add(1) == 6 {
				cancel()
			}
			return false
		})
		_ = b.worker(t, proxy.URL).Work(ctx, b.chunk.Message(2))
		must(t, b.end(t))
		b.expectLedger(t, chunk.Completed)
		_, err := b.ledger.Reverse(t.Context(), theRun, "arn:back", nil)
		must(t, err)
		for _, message := range b.due(t) {
			must(t, b.worker(t, db.URL).Work(t.Context(), message))
		}
		b.expectLedger(t, chunk.RolledBack)
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> CASE id % 40 WHEN 7 THEN -1 ELSE id END", 0,
			"SELECT count(*) FROM backfill.conflicts", 100)
	})
}

// end closes the run's verification, however its worker has left.
func (b *bundle) end(t *testing.T) error {
	t.Helper()
	stored, err := b.ledger.Run(t.Context(), theRun)
	must(t, err)
	if _, err := b.ledger.Close(t.Context(), theRun, stored.Execution, run.Cancelled, "enough"); err != nil {
		return err
	}
	b.exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() - interval '1 ms' WHERE lease_until IS NOT NULL")
	state, reason, err := b.ledger.Finish(t.Context(), theRun)
	if state != run.Completed {
		t.Fatalf("%s: %s", state, reason)
	}
	return err
}

// TestUsersWorkWhileARunIsVerified: no write of theirs is lost, and none is found to deviate that is right. What they write to the column itself is a
// deviation, or comes after the look at it.
func TestUsersWorkWhileARunIsVerified(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := begun(t, db, certain, "UPDATE counters SET n = -1 WHERE id % 40 = 7", true)
		db.Exec(t, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF current_setting('application_name') LIKE 'test worker%' THEN PERFORM pg_sleep(0.002); END IF; RETURN NEW; END $$;
			CREATE TRIGGER slow BEFORE UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION slow()`)
		ctx, stop := context.WithCancel(t.Context())
		var users errgroup.Group
		var notes [4]atomic.Int64
		for u := range notes {
			conn := db.Connect(t)
			users.Go(func() error {
				for i := u; ctx.Err() == nil; i += 13 {
					if _, err := conn.Exec(context.Background(), "UPDATE counters SET note = coalesce(note, '') || '.' WHERE id = $1", 1+i%rows); err != nil {
						return err
					}
					notes[u].Add(1)
				}
				return nil
			})
		}
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
		stop()
		must(t, users.Wait())
		b.expectLedger(t, chunk.Completed)
		if found := b.found(t); found.Looked != rows || found.Deviating != 100 || found.Mended != 100 {
			t.Fatalf("%+v", found)
		}
		total := 0
		for u := range notes {
			total += int(notes[u].Load())
		}
		if total < 50 {
			t.Fatalf("users made %d writes", total)
		}
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> id * 2", 0, "SELECT sum(length(note) - length(rtrim(note, '.'))) FROM counters", total)
		b.verifyAgain(t)
	})
}

// verifyAgain looks once more: nothing deviates.
func (b *bundle) verifyAgain(t *testing.T) {
	t.Helper()
	digest := b.found(t).Digest
	certified, err := b.ledger.Certify(t.Context(), theRun, run.Certificate{}, "")
	must(t, err)
	if !certified {
		t.Fatal("not certified")
	}
	b.verify(t, "arn:again", true)
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(3)))
	if found := b.found(t); found.Deviating != 0 || found.Looked != rows || found.Digest != digest {
		t.Fatalf("%+v, the digest was %s", found, digest)
	}
}

// TestRowsThatCannotBeVerified: within the error budget they count as rows that deviate, and the look goes on; beyond it the chunk fails, and
// the reason has the row.
func TestRowsThatCannotBeVerified(t *testing.T) {
	t.Parallel()
	for _, budget := range []int64{0, 5} {
		for _, mends := range []bool{true, false} {
			t.Run(fmt.Sprintf("budget %d, mends %t", budget, mends), func(t *testing.T) {
				t.Parallel()
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					c := certain
					c.ErrorBudget = budget
					c.Set = []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "note::int"}}
					b := begun(t, db, c, "UPDATE counters SET note = 'x' || id WHERE id IN (7, 2007, 3999)", mends)
					must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
					if budget == 0 {
						if reason := b.expectLedger(t, chunk.Failed); !strings.Contains(reason, `1 row within "id" > 6 AND "id" <= 7`) && !strings.Contains(reason, `"id" <= 7: SQLSTATE 22P02`) {
							t.Fatal(reason)
						}
						return
					}
					b.expectLedger(t, chunk.Completed)
					if found := b.found(t); found.Looked != rows || found.Deviating != 3 || found.Mended != 0 || found.Fitting != rows || found.Nulls[0] != 3 {
						t.Fatalf("%+v", found)
					}
					b.expectNumbers(t, "SELECT count(*) FROM backfill.rejects WHERE key[1] IN ('7', '2007', '3999')", 3, "SELECT rejected FROM backfill.ledger", 3)
				})
			})
		}
	}
}

// TestAStaleVerificationWritesNothing: a worker that was stopped past its lease writes nothing.
func TestAStaleVerificationWritesNothing(t *testing.T) {
	t.Parallel()
	b := begun(t, pgtest.Newest(t), certain, "UPDATE counters SET n = -1", true)
	claim, err := b.ledger.Claim(t.Context(), b.chunk.Message(2), "old")
	must(t, err)
	b.exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() - interval '1 ms'")
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(3)))
	b.expectLedger(t, chunk.Completed)
	sql, args := claim.Advance(ledger.Step{Keys: 10, Timeout: time.Second})
	if _, err := b.conn.Exec(t.Context(), sql, args...); err == nil || !strings.Contains(err.Error(), failure.StaleFence) {
		t.Fatal(err)
	}
}
