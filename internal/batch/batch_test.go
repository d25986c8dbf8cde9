package batch_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/failure"

	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

// TestABatchIsOneTransactionAndOneRoundTrip, as soon as its statements are described: the first two batches are the
// first of their kind.
func TestABatchIsOneTransactionAndOneRoundTrip(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		proxy := pgtest.NewProxy(t, db)
		b.connect(t, proxy.URL)
		_, target := b.apply(t, b.find(t, 100), 100)
		_, target = b.apply(t, target, 100)
		var syncs atomic.Int64
		proxy.CutWhen(func(fromServer bool, kind byte) bool {
			if !fromServer && (kind == pgtest.Sync || kind == 'Q') {
				syncs.Add(1)
			}
			return false
		})
		b.apply(t, target, 100)
		if syncs.Load() != 1 {
			t.Errorf("%d round trips", syncs.Load())
		}
		const changed = "FROM counters WHERE id BETWEEN 201 AND 300 AND n = 1"
		if n := number(t, b.beside, "SELECT count(*) "+changed); n != 100 {
			t.Errorf("%d rows were changed", n)
		}
		if n := number(t, b.beside, "SELECT count(DISTINCT xmin::text) FROM (SELECT xmin "+changed+" UNION ALL SELECT xmin FROM backfill.ledger) x"); n != 1 {
			t.Errorf("rows and ledger are of %d transactions", n)
		}
	})
}

func TestTheLastBatchCompletesTheChunk(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, change.Change{Kind: change.Set, Table: counters.Table, Key: counters.Key, Set: counters.Set, Where: "id % 4 = 0"})
		outcome, batches := b.walk(t, b.find(t, 150), 150)
		if batches != 3 || outcome.Affected != rows/4 || outcome.Keys != 100 || !outcome.Done {
			t.Errorf("%d batches, the last: %+v", batches, outcome)
		}
		want := fmt.Sprintf("COMPLETED seq 3, %d scanned, %d affected, at {%d}, no lease", rows, rows/4, rows)
		got := text(t, b.beside, `SELECT format('%s seq %s, %s scanned, %s affected, at %s, %s', state, seq, scanned, affected, position,
			CASE WHEN lease_until IS NULL THEN 'no lease' ELSE 'a lease' END) FROM backfill.ledger`)
		if got != want {
			t.Errorf("the ledger has %s, want %s", got, want)
		}
		if n := number(t, b.beside, "SELECT count(*) FROM counters WHERE n <> (id % 4 = 0)::int"); n != 0 {
			t.Errorf("%d rows are wrong", n)
		}
		if b.claim.Seq != 3 || b.claim.Scanned != rows || b.claim.Affected != rows/4 || !b.claim.Position.Same(b.claim.Message.Hi) {
			t.Errorf("the claim was not moved along: %+v", b.claim)
		}
	})
}

// TestTheSizeDividesTheChunk: the batch that ends at the chunk's end by its last key is the last.
func TestTheSizeDividesTheChunk(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	if outcome, batches := b.walk(t, b.find(t, 100), 100); batches != 4 || outcome.Affected != rows {
		t.Errorf("%d batches, the last: %+v", batches, outcome)
	}
}

func TestAChunkWhoseRowsAreGoneIsCompleted(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		b.exec(t, "DELETE FROM counters")
		outcome, batches := b.walk(t, b.find(t, 100), 100)
		if batches != 1 || outcome.Keys != 0 || outcome.Affected != 0 {
			t.Errorf("%d batches, the last: %+v", batches, outcome)
		}
		if state := text(t, b.beside, "SELECT state FROM backfill.ledger"); state != string(chunk.Completed) {
			t.Errorf("the chunk is %s", state)
		}
	})
}

// TestAClaimThatDoesNotHoldWritesNothing: whoever took over the chunk, or ended the run, must not be overtaken.
func TestAClaimThatDoesNotHoldWritesNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T, b *bundle){
		"a higher fence":          func(t *testing.T, b *bundle) { b.take(t, b.claim.Message) },
		"a batch that was before": func(_ *testing.T, b *bundle) { b.claim.Seq-- },
		"a batch ahead":           func(_ *testing.T, b *bundle) { b.claim.Seq++ },
		"an unknown chunk":        func(_ *testing.T, b *bundle) { b.claim.Message.Chunk++ },
		"a chunk given back": func(t *testing.T, b *bundle) {
			_, err := b.ledger.Release(t.Context(), b.claim, 0, "deadline")
			must(t, err)
		},
		"a run that is cancelled": func(t *testing.T, b *bundle) { b.exec(t, "UPDATE backfill.runs SET state = 'CANCELLING'") },
		"a run that has ended":    func(t *testing.T, b *bundle) { b.exec(t, "UPDATE backfill.runs SET state = 'FAILED'") },
		"a run that nobody watches": func(t *testing.T, b *bundle) {
			b.exec(t, "UPDATE backfill.runs SET heartbeat = clock_timestamp() - interval '61 minutes'")
		},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		for name, meddle := range cases {
			t.Run(name, func(t *testing.T) {
				b.exec(t, "DELETE FROM backfill.ledger")
				b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING', heartbeat = clock_timestamp()")
				b.claim = b.take(t, b.claim.Message)
				_, target := b.apply(t, b.find(t, 100), 100)
				meddle(t, b)
				_ = b.expectNothing(t, target, failure.LeaseLost)
			})
		}
	})
}

// expectNothing applies a target that must not be applied, and gives the error.
func (b *bundle) expectNothing(t *testing.T, target batch.Target, class failure.Class) error {
	t.Helper()
	image, claim := b.image(t), b.claim
	outcome, _, err := b.runner.Apply(t.Context(), b.conn, &b.claim, target, 100)
	if !failure.Is(err, class) {
		t.Errorf("got %v (%s), %+v; want %s", err, failure.Of(err), outcome, class)
	}
	if after := b.image(t); after != image {
		t.Errorf("something was written:\n%s\n%s", image, after)
	}
	if difference := cmp.Diff(claim, b.claim); difference != "" {
		t.Errorf("the claim was moved: %s", difference)
	}
	return err
}
