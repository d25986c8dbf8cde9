package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/transform"
	"backfill/internal/worker"
)

// reading is a worker whose connection for reads leads elsewhere.
func (b *bundle) reading(t *testing.T, url string) *worker.Worker {
	t.Helper()
	session := b.session(t, b.db.URL)
	reads := postgres.NewSession(credentials.Fixed(url), "test worker reads").Prepare()
	t.Cleanup(reads.Drop)
	return worker.New(session, ledger.New(session, b.terms), b.checkpoints, b.terms.Lease).ReadAhead(reads)
}

// TestAConnectionForReadsThatIsLost at a message of it, or cannot be had at all, is done without: each row is written once, and the chunk is done in one go.
func TestAConnectionForReadsThatIsLost(t *testing.T) {
	eachTransform(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		c = given(t, c, increment)
		for name, at := range map[string]struct {
			kind byte
			nth  int64
		}{"never had": {}, "before the first read": {pgtest.Sync, 1}, "in a read": {pgtest.Sync, 3}, "behind a read": {pgtest.ReadyForQuery, 5}} {
			t.Run(name, func(t *testing.T) {
				b := setup(t, db.Encoded(t, "UTF8"), c)
				url, cut := "postgres://app@127.0.0.1:1/app", int64(1)
				if at.kind != 0 {
					var seen atomic.Int64
					cut = 0
					proxy := pgtest.NewProxy(t, b.db)
					proxy.Watch(func(m pgtest.Message) pgtest.Verdict {
						if m.Kind == at.kind && m.FromServer == (at.kind == pgtest.ReadyForQuery) && seen.Add(1) == at.nth {
							atomic.AddInt64(&cut, 1)
							return pgtest.Cut
						}
						return pgtest.Pass
					})
					url = proxy.URL
				}
				must(t, b.reading(t, url).Work(t.Context(), b.chunk.Message(1)))
				b.expectOnce(t)
				b.expectNumbers(t, "SELECT fence FROM backfill.ledger", 1)
				if atomic.LoadInt64(&cut) != 1 {
					t.Error("nothing was cut")
				}
			})
		}
	})
}

// TestATransformBehindAPooler whose connections to the server are two, or one that both of the worker's have to share.
func TestATransformBehindAPooler(t *testing.T) {
	for _, servers := range []int{1, 2} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			eachTransform(t, func(t *testing.T, db pgtest.Database, c change.Change) {
				b := setup(t, db, given(t, c, increment))
				must(t, b.worker(t, pgtest.NewPooler(t, b.db, servers).URL).Work(t.Context(), b.chunk.Message(1)))
				b.expectOnce(t)
			})
		})
	}
}

// TestAWalkThatEndsWaitsForNoCall: a batch fails in Postgres while the function works on the one behind it. The chunk is left at once, and
// the worker's connections are good for the next one.
func TestAWalkThatEndsWaitsForNoCall(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	var long atomic.Bool
	ended := make(chan error, 1)
	c := given(t, change.Change{Table: counters.Table, Key: counters.Key}, func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
		if first, _ := rows[0].Int("id"); first > 600 && long.CompareAndSwap(false, true) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}
		return increment(ctx, rows)
	})
	b := setup(t, db, c)
	b.terms.Lease = time.Minute // a call may take a third of it
	b.exec(t, "ALTER TABLE counters ADD CHECK (id <> 600 OR n = 600)")
	w := b.worker(t, db.URL)
	claim, err := b.ledger.Claim(t.Context(), b.chunk.Message(1), "me")
	must(t, err)
	_, err = b.ledger.Decide(t.Context(), claim, 1, "a test") // so it reads ahead from the first batch on
	must(t, err)
	_, err = b.ledger.Release(t.Context(), claim, 0, "")
	must(t, err)
	must(t, w.Work(t.Context(), b.chunk.Message(2)))
	b.expectLedger(t, chunk.Failed)
	if !long.Load() {
		t.Fatal("the function was not at work")
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the function's call ended by its own time: %v", err)
	}
	b.exec(t, "ALTER TABLE counters DROP CONSTRAINT counters_check")
	b.exec(t, "UPDATE backfill.runs SET state = 'FAILED', ended_at = clock_timestamp()")
	_, err = b.ledger.Revive(t.Context(), theRun, "arn:2")
	must(t, err)
	for _, message := range b.due(t) {
		must(t, w.Work(t.Context(), message))
	}
	b.expectOnce(t)
}
