package governor

import (
	"context"

	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// verify goes on with a verification: the ledger is its plan. The run is COMPLETED after it, whatever was found; its execution ends
// badly where that does not hold.
func (b *beat) verify(ctx context.Context, p ledger.Progress, again []ledger.Again) (turn.Next, error) {
	if p.Open > 0 {
		if next, err := b.stand(ctx, p); next != "" || err != nil {
			return next, err
		}
		return "", b.again(ctx, again)
	}
	holds, done, err := b.governor.Completer.Verified(ctx, b.record.Status.Run, b.record.Plan.Planned)
	if err != nil || !done {
		return "", err
	}
	as := run.Completed
	if !holds {
		as = run.Failed
	}
	return b.closed(ctx, run.Completed, as)
}

// closed is ended for a run that was closed as something. One whose verification was closed is COMPLETED as before, and only the execution
// ends as it was closed.
func (b *beat) closed(ctx context.Context, state, as run.State) (turn.Next, error) {
	next, err := b.ended(ctx, state)
	if state == run.Completed && as != "" {
		b.record.Status.State = as
	}
	return next, err
}
