package governor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"backfill/internal/figure"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// quiet is how long nothing may be handled before a run is called stalled: what was lost was sent again by then, and a user
// whose lock is waited for for longer is worth a word.
const quiet = ledger.Lost

// stand notes that a run stands still, or does no longer. After Governor.Stall it ends as FAILED: nobody is asked to look
// at a run that says RUNNING for ever, and a resume goes on where it stood.
func (b *beat) stand(ctx context.Context, p ledger.Progress) (turn.Next, error) {
	id, still := b.record.Status.Run, p.Now.Sub(p.Moved())
	limit := max(b.governor.Stall, quiet)
	switch {
	case still < quiet || !b.open(p) || b.limited(p):
		if p.Stalled() {
			return "", b.governor.Ledger.Moves(ctx, id)
		}
		return "", nil
	case still < limit:
		if p.Stalled() {
			return "", nil
		}
		return "", b.governor.Ledger.Stall(ctx, id, fmt.Sprintf("no row was handled since %s; %s; while that lasts: the run ends as FAILED at %s",
			clock(p.Moved()), b.why(p), clock(p.Moved().Add(limit))))
	}
	b.record.Status.Reason = fmt.Sprintf("stalled: no row was handled from %s to %s; %s; mend that, and resume the run", clock(p.Moved()), clock(p.Now), b.why(p))
	state, err := b.governor.Closer.Close(ctx, id, run.Failed, b.record.Status.Reason)
	if err != nil {
		return "", err
	}
	return b.closed(ctx, state, run.Failed)
}

// open tells whether there is something for workers to do.
func (b *beat) open(p ledger.Progress) bool {
	if !p.State.Works() {
		return p.Open > 0
	}
	return p.Completed+p.RolledBack+p.Failed+p.Held < b.record.Plan.Planned // what is held for a canary is for nobody yet
}

// limited tells whether workers wait for the rate, or for slots that other runs hold: that is no stall, however low somebody has set them.
func (b *beat) limited(p ledger.Progress) bool {
	if p.Leases > 0 || p.Now.Sub(p.Seen) >= quiet { // the lowest rate is a row a second: who works commits
		return false
	}
	if p.Limits.DatabaseWorkers != nil && ledger.WaitsForOthers(p.Waits) {
		return true
	}
	rate, _ := p.Limits.Least()
	throttle := b.record.Status.Throttle
	return (rate != nil || throttle.Rate != nil || throttle.WAL != nil) && slices.Contains([]string{ledger.NoRoom, ledger.NoUse, ledger.LateForRoom}, p.Waits)
}

// why is the likely cause, and where to look.
func (b *beat) why(p ledger.Progress) string {
	worker := b.governor.Worker
	switch {
	case p.Leases > 0 && p.Waits != "":
		return figure.Plural(p.Leases, "worker holds a chunk", "workers hold chunks") + ", and the last chunk that waits says: " + p.Waits
	case p.Leases > 0:
		return figure.Plural(p.Leases, "worker holds a chunk", "workers hold chunks") + ", and no batch of theirs commits: each may be one statement that is slow, or hang; pg_stat_activity shows it"
	case p.Now.Sub(latest(p.Seen, p.Moved())) >= quiet:
		return fmt.Sprintf("no worker has claimed a chunk since %s, though they were sent: the event source mapping may be disabled (`aws lambda "+
			"list-event-source-mappings --function-name %s` shows its State), the function throttled, or the database out of its reach "+
			"(`aws logs tail /aws/lambda/%s`)", clock(latest(p.Seen, p.Moved())), worker, worker)
	case p.Waits != "":
		return "chunks are claimed and given back: " + p.Waits
	}
	return fmt.Sprintf("workers claim chunks and die with them: `aws logs tail /aws/lambda/%s` may say of what", worker)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
