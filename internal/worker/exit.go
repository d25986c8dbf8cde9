package worker

import (
	"context"
	"log/slog"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/ledger"
)

// exit is how a delivery leaves its chunk. An empty state leaves the ledger alone: somebody else holds the chunk.
type exit struct {
	state  chunk.State
	pause  time.Duration // PENDING: not to be claimed before it is over
	reason string
	worked time.Duration // in batches; the rest of the delivery is claim, checkpoints and the like
	tally  tally
}

// exitFor turns an error that ends the walk into a way out.
func exitFor(err error) exit {
	switch failure.Of(err) {
	case failure.LeaseLost:
		return exit{state: chunk.Pending, reason: reasonOf(err)} // released only if the fence is still ours
	case failure.Transient, failure.Unknown:
		return exit{state: chunk.Pending, pause: longest, reason: backingOff(err)}
	default:
		return exit{state: chunk.Failed, reason: reasonOf(err)}
	}
}

// leave writes the way out in the ledger; the copy is made after it. It tells the state that the chunk was left in, "" where
// somebody else holds it by now. It has time of its own: the walk may have used up its own.
func (w *Worker) leave(ctx context.Context, claim ledger.Claim, out exit) chunk.State {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), margin)
	defer cancel()
	held, err := true, error(nil)
	switch out.state {
	case chunk.Pending:
		held, err = w.ledger.Release(ctx, claim, out.pause, out.reason)
	case chunk.Failed:
		held, err = w.ledger.Fail(ctx, claim, out.reason)
	case chunk.Completed, chunk.RolledBack, chunk.Processing:
	default:
		held = false
	}
	if err != nil {
		slog.ErrorContext(ctx, "chunk not left in order; its lease will expire", "run", claim.Message.Run,
			"chunk", claim.Message.Chunk, "class", failure.Of(err), "error", failure.Safe(err))
	}
	if err != nil || !held {
		return ""
	}
	return out.state
}

// tell writes the copy of the way out, in time of its own as well; "": there is none.
func (w *Worker) tell(ctx context.Context, claim ledger.Claim, state chunk.State, reason string) {
	if state == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), margin)
	defer cancel()
	w.record(ctx, claim, state, reason)
}
