package worker

import (
	"context"
	"log/slog"

	"backfill/internal/failure"
	"backfill/internal/ledger"
)

// measure reads what Postgres has counted before the first batch at a chunk of a canary, and gives what notes the stay after the last: two round trips each, and
// none a batch. Other chunks are not measured. A stay that cannot be noted is none: the forecast rests on the others.
func (w *Worker) measure(ctx context.Context, claimed ledger.Claim) (stayed func(ledger.Claim)) {
	if !claimed.Canary || claimed.Back || claimed.Verifies {
		return func(ledger.Claim) {}
	}
	from, err := w.ledger.Meter(ctx)
	return func(left ledger.Claim) {
		if err == nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), margin/2)
			defer cancel()
			err = w.ledger.Stayed(ctx, claimed, from, left.Scanned-claimed.Scanned, left.Affected-claimed.Affected)
		}
		if err != nil {
			slog.WarnContext(ctx, "stay not noted", "run", claimed.Message.Run, "chunk", claimed.Message.Chunk, "class", failure.Of(err), "error", failure.Safe(err))
		}
	}
}
