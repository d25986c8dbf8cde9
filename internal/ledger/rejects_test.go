package ledger_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// TestTheBudgetHoldsWhateverWorkersDoAtOnce: each of many at the same moment notes one row of its chunk.
func TestTheBudgetHoldsWhateverWorkersDoAtOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		const workers, budget = 8, 5
		var together sync.WaitGroup
		var spent atomic.Int64
		for n := range int64(workers) {
			lo := strconv.FormatInt(n*100, 10)
			if n == 0 {
				lo = ""
			}
			claim := b.claim(t, message(n+1, lo, strconv.FormatInt((n+1)*100, 10), 1), "me", ledger.Claimed)
			conn := db.Connect(t)
			together.Go(func() {
				err := reject(t.Context(), conn, claim, strconv.FormatInt(n, 10), budget)
				if postgres.Raised(err, failure.BudgetSpent) {
					spent.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		together.Wait()
		named := b.number(t, "SELECT count(*) FROM backfill.rejects")
		progress, err := b.ledger.Look(t.Context(), theRun)
		must(t, err)
		if named != budget || progress.Rejected != budget || spent.Load() != workers-budget {
			t.Fatalf("%d rejected, %d counted, %d refused", named, progress.Rejected, spent.Load())
		}
		if class := failure.FromSQLState(failure.BudgetSpent); class != failure.Permanent {
			t.Errorf("class %s", class)
		}
	})
}

// reject passes over a row, in one transaction; it is tried again where others are ahead of it for long.
func reject(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, key string, budget int64) error {
	for {
		pipeline := &pgx.Batch{}
		sql, args := claim.Advance(ledger.Step{Keys: 1, Timeout: time.Minute})
		pipeline.Queue(sql, args...)
		sql, args = claim.Reject(ledger.Reject{Key: keyset.Point{key}, SQLState: "23514", Message: "no"}, budget)
		pipeline.Queue(sql, args...)
		err := conn.SendBatch(ctx, pipeline).Close()
		if !postgres.Raised(err, "55P03") {
			return err
		}
	}
}

// TestARejectWaitsForTheOneBeforeIt: what is not committed yet counts.
func TestARejectWaitsForTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	first := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	second := b.claim(t, message(2, "100", "200", 1), "me", ledger.Claimed)
	open, err := b.db.Connect(t).Begin(t.Context())
	must(t, err)
	must(t, passing(t.Context(), first, 1, open.SendBatch))
	conn := b.db.Connect(t)
	if err := passing(t.Context(), second, 1, conn.SendBatch); !postgres.Raised(err, "55P03") {
		t.Fatalf("beside one that is not committed: %v", err)
	}
	must(t, open.Commit(t.Context()))
	if err := passing(t.Context(), second, 1, conn.SendBatch); !postgres.Raised(err, failure.BudgetSpent) {
		t.Fatalf("after it was committed: %v", err)
	}
}

func passing(ctx context.Context, claim ledger.Claim, budget int64, send func(context.Context, *pgx.Batch) pgx.BatchResults) error {
	pipeline := &pgx.Batch{}
	sql, args := claim.Advance(ledger.Step{Keys: 1, Timeout: time.Minute})
	pipeline.Queue(sql, args...)
	sql, args = claim.Reject(ledger.Reject{Key: keyset.Point{"7"}, SQLState: "23514", Message: "no"}, budget)
	pipeline.Queue(sql, args...)
	return send(ctx, pipeline).Close()
}
