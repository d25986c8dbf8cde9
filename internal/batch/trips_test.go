package batch_test

import (
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/pgtest"
	"backfill/internal/statement"
)

// TestEachBatchIsOneRoundTrip, of every kind of batch, as soon as its statements are described.
func TestEachBatchIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	kept := counters
	kept.Undo, kept.Set = true, []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}
	forward := func(r batch.Runner) steps { return &batch.Forward{Runner: r} }
	striped := func(r batch.Runner) steps {
		return &batch.Striped{Runner: r, Window: statement.Window{Keys: rows, Passes: 4, Batches: 4}}
	}
	for name, c := range map[string]struct {
		change change.Change
		steps  func(batch.Runner) steps
		back   bool
	}{
		"undo":               {kept, forward, false},
		"stripes":            {counters, striped, false},
		"stripes, undo":      {kept, striped, false},
		"rollback":           {kept, forward, true},
		"rollback of passes": {kept, striped, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := setup(t, db, c.change)
				steps := c.steps(b.runner)
				if c.back {
					b.step(t, steps, 10, rows)
					b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
					_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
					must(t, err)
					b.claim.Message.Send++
					b.claim = b.take(t, b.claim.Message)
					steps = &batch.Back{Change: c.change, Timeout: time.Minute}
				}
				proxy := pgtest.NewProxy(t, db)
				b.connect(t, proxy.URL)
				b.step(t, steps, 10, 12) // stripes of 25 keys: of some a part is taken, and the rest
				var trips atomic.Int64
				proxy.CutWhen(func(fromServer bool, kind byte) bool {
					if !fromServer && (kind == pgtest.Sync || kind == 'Q') {
						trips.Add(1)
					}
					return false
				})
				if b.step(t, steps, 10, 10); trips.Load() != 10 {
					t.Errorf("%d round trips for 10 batches", trips.Load())
				}
			})
		})
	}
}

// step makes so many batches, or those that are left.
func (b *bundle) step(t *testing.T, steps steps, size int64, batches int) {
	t.Helper()
	for range batches {
		outcome, err := steps.Step(t.Context(), b.conn, &b.claim, size)
		must(t, err)
		if outcome.Done {
			return
		}
	}
}
