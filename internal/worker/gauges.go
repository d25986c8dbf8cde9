package worker

import (
	"context"
	"log/slog"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
)

// tally counts the batches of a delivery.
type tally struct {
	took      gauge.Sample // milliseconds
	failures  int64
	lockWaits int64
}

func (t *tally) batch(took time.Duration) { t.took.Keep(float64(took.Microseconds()) / 1000) }

func (t *tally) failed(err error) {
	t.failures++
	if postgres.Raised(err, failure.LockNotAvailable) {
		t.lockWaits++
	}
}

// gaugeRefused tells of a delivery that found nothing to do.
func (w *Worker) gaugeRefused(claim ledger.Claim) {
	figures := gauge.Figures{gauge.NoWork: gauge.Whole(1)}
	if claim.Verdict == ledger.Unwatched {
		figures[gauge.Unwatched] = gauge.Whole(1)
	}
	w.gauges.Write(w.subject(claim), figures)
}

// gaugeLeft tells of one that worked. The sums of a claim that was made again go on from those of the first.
func (w *Worker) gaugeLeft(claimed, left ledger.Claim, state chunk.State, out exit) {
	w.gauges.Write(w.subject(claimed), gauge.Figures{
		gauge.RowsHandled: gauge.Whole(max(left.Scanned-claimed.Scanned, 0) + left.Restored), gauge.RowsWritten: gauge.Whole(max(left.Affected-claimed.Affected, 0) + left.Restored),
		gauge.Batches: gauge.Whole(max(left.Seq-claimed.Seq, 0)), gauge.BatchTime: out.tally.took.Values(),
		gauge.BatchFailures: gauge.Whole(out.tally.failures), gauge.LockWaits: gauge.Whole(out.tally.lockWaits),
		gauge.ChunksCompleted: gauge.If(state == chunk.Completed || state == chunk.RolledBack),
		gauge.ChunksGivenBack: gauge.If(state == chunk.Pending), gauge.ChunksFailed: gauge.If(state == chunk.Failed),
	})
}

// Lost tells of a message that comes again. Lambda counts no error for it.
func (w *Worker) Lost(ctx context.Context, message chunk.Message, id string, err error) {
	slog.ErrorContext(ctx, "message not consumed", "run", message.Run, "chunk", message.Chunk, "message", id, "class", failure.Of(err), "error", failure.Safe(err))
	w.gauges.Write(w.subject(ledger.Claim{Message: message}), gauge.Figures{gauge.NotConsumed: gauge.Whole(1)})
}

func (w *Worker) subject(claim ledger.Claim) gauge.Subject {
	return gauge.Subject{Run: claim.Message.Run, Chunk: claim.Message.Chunk, Backfill: w.names[claim.Message.Run]}
}
