package governor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"backfill/internal/change"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/following"
	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// beat is one invocation's view of the run. The plan does not move while it lasts: the planner works between beats.
type beat struct {
	governor *Governor
	record   records.Record
	until    time.Time
	cause    cause // why the run is not faster
	expired  int64 // leases of dead workers, whose chunks were sent again
	stalled  bool
}

// watch samples until something is to be done by somebody else, or the beat is over.
func (b *beat) watch(ctx context.Context) (turn.Next, error) {
	for first := true; ; first = false {
		progress, again, err := b.sample(ctx)
		if err != nil {
			return "", err
		}
		if first {
			b.drain(ctx)
		}
		next, err := b.decide(ctx, progress, again)
		if next != "" || err != nil {
			return next, err
		}
		if !b.rest(ctx) {
			return turn.Beat, nil
		}
	}
}

// drain empties the dead-letter queue once a beat, after the heartbeat. A run goes on where that fails: the letters stay.
func (b *beat) drain(ctx context.Context) {
	if err := b.governor.Drainer.Drain(ctx); err != nil {
		slog.WarnContext(ctx, "dead letters not drained", "run", b.record.Status.Run, "class", failure.Of(err), "error", failure.Safe(err))
	}
}

// sample renews the heartbeat, and reports what the ledger holds.
func (b *beat) sample(ctx context.Context) (ledger.Progress, []ledger.Again, error) {
	progress, again, err := b.governor.Ledger.Beat(ctx, b.record.Status.Run, b.governor.LookAhead)
	if err != nil {
		return progress, nil, err
	}
	if err := b.agree(ctx, progress); err != nil {
		return progress, nil, err
	}
	if b.record.Status.State.Pauses() && !progress.State.Pauses() { // who let it go on may have died before it said so
		if _, err := b.governor.Pauser.Record(ctx, b.record.Status.Run); err != nil {
			return progress, nil, err
		}
	}
	b.stalled = progress.Stalled()
	b.throttle(ctx, progress, b.observe(progress))
	b.mark(ctx)
	err = b.governor.Records.SaveProgress(ctx, b.record.Status, progress.Beats)
	if errors.Is(err, records.ErrNotFound) {
		b.record, err = b.governor.rebuild(ctx, b.record.Status.Run)
	}
	return progress, again, err
}

// decide says what the state machine does next; "" goes on watching.
func (b *beat) decide(ctx context.Context, p ledger.Progress, again []ledger.Again) (turn.Next, error) {
	id, plan := b.record.Status.Run, b.record.Plan
	switch {
	case p.Back && p.State.Ended() && p.ClosesAs == "":
		return b.back(ctx, p, again) // a beat before this one did not live to tell
	case p.State.Ended(), p.State == run.Cancelling:
		return b.finish(ctx, p)
	case p.State.Pauses():
		return b.pause(ctx, p)
	case p.Broken > 0 && !b.goesOn(p):
		return b.failed(ctx, p)
	case p.State == run.RollingBack:
		return b.back(ctx, p, again)
	case p.State == run.Verifying:
		return b.verify(ctx, p, again)
	case canaried(p, plan):
		return "", b.governor.Canaries.Judge(ctx, id, b.record.Status.Throttle.Workers.Most) // the next sample goes on with what comes of it
	case plan.Closed && p.Completed+p.RolledBack == plan.Planned:
		return b.complete(ctx, p)
	}
	if within, err := b.within(ctx, p); err != nil || !within {
		return "", err // the next sample goes on with the pause
	}
	if next, err := b.stand(ctx, p); next != "" || err != nil {
		return next, err
	}
	// Repair comes before planning: a run whose workers are quick asks for a plan at each sample.
	if err := b.again(ctx, again); err != nil {
		return "", err
	}
	if err := b.governor.Repairer.Unclaimed(ctx, id, plan.Planned, p); err != nil {
		return "", err
	}
	if p.Writers > 0 {
		return "", nil // the planner would have nothing to do
	}
	if waiting := plan.Planned - p.Known + p.Waiting; !plan.Closed && waiting < p.Limits.LookAhead(b.governor.LookAhead)/2 {
		return turn.Plan, nil
	}
	return "", nil
}

// again has chunks sent again, and counts those whose worker died.
func (b *beat) again(ctx context.Context, again []ledger.Again) error {
	if err := b.governor.Repairer.Again(ctx, b.record.Status.Run, again); err != nil {
		return err
	}
	for _, one := range again {
		if one.Expired() {
			b.expired++
		}
	}
	return nil
}

// canaried tells whether the canary of a run is worked off: every chunk that is planned is done, has failed, or is held.
func canaried(p ledger.Progress, plan records.Plan) bool {
	return p.Canary > 0 && p.State == run.Running && plan.Closed && plan.Planned > 0 && p.Known == plan.Planned && p.Open == 0
}

// back goes on with a rollback: the ledger is its plan. However much of the run was asked for, the execution that
// carried the rollback out ends well.
func (b *beat) back(ctx context.Context, p ledger.Progress, again []ledger.Again) (turn.Next, error) {
	if p.Open > 0 {
		if next, err := b.stand(ctx, p); next != "" || err != nil {
			return next, err
		}
		return "", b.again(ctx, again)
	}
	done, err := b.governor.Completer.RolledBack(ctx, b.record.Status.Run)
	if err != nil || !done {
		return "", err
	}
	next, err := b.ended(ctx, run.RolledBack)
	b.record.Status.State = run.RolledBack
	return next, err
}

// finish ends a run that is closing, as soon as no lease lives.
func (b *beat) finish(ctx context.Context, p ledger.Progress) (turn.Next, error) {
	state, err := b.governor.Closer.Finish(ctx, b.record.Status.Run)
	if err != nil {
		return "", err
	}
	as := p.ClosesAs
	if p.Certified != nil && !p.Certified.Holds { // a beat before this one did not live to tell
		as = run.Failed
	}
	return b.closed(ctx, state, as)
}

// goesOn tells whether chunks are to be finished beside those that have failed. A rollback stops, and so does a verification.
func (b *beat) goesOn(p ledger.Progress) bool {
	plan := b.record.Plan
	return p.OnFailure == change.Continue && p.State.Works() &&
		(!plan.Closed || p.Completed+p.RolledBack+p.Failed != plan.Planned)
}

// failed closes a run that has failed chunks, or pauses it where its definition says so. A rollback is closed: what is left
// of it is to be judged by a person, and resume goes on with it.
func (b *beat) failed(ctx context.Context, p ledger.Progress) (turn.Next, error) {
	id := b.record.Status.Run
	failures, err := b.governor.Ledger.Failures(ctx, id)
	if err != nil || failures.Count == 0 { // none is left: a person was quicker
		return "", err
	}
	reason := failing(failures)
	slog.WarnContext(ctx, "chunks failed", "run", id, "chunks", failures.First, "of", failures.Count, "on_failure", p.OnFailure)
	if p.OnFailure == change.Pause && p.State.Works() {
		_, err := b.governor.Pauser.PauseFailed(ctx, id, reason)
		return "", err // the next sample goes on with the pause
	}
	b.record.Status.Reason = reason
	state, err := b.governor.Closer.Close(ctx, id, run.Failed, b.record.Status.Reason)
	if err != nil {
		return "", err
	}
	return b.closed(ctx, state, run.Failed)
}

// failing names failed chunks, and says why the first of them did.
func failing(f ledger.Failures) string {
	first := fmt.Sprintf("chunk %d failed: %s", f.First[0], f.Reason)
	if f.Count == 1 {
		return first
	}
	numbers := make([]string, len(f.First))
	for i, number := range f.First {
		numbers[i] = strconv.FormatInt(number, 10)
	}
	more := ""
	if f.Count > int64(len(numbers)) {
		more = ", ..."
	}
	return fmt.Sprintf("%s failed (%s%s); %s", figure.Plural(f.Count, "chunk", "chunks"), strings.Join(numbers, ", "), more, first)
}

// complete ends a run that is done, and behind whose bound no rows came that it follows. One that was closed meanwhile is seen with the
// next sample.
func (b *beat) complete(ctx context.Context, p ledger.Progress) (turn.Next, error) {
	id, plan := b.record.Status.Run, b.record.Plan
	if p.Writers > 0 {
		return "", nil
	}
	switch next, err := b.governor.Follower.Follow(ctx, id, plan); {
	case err != nil || next == following.Wait:
		return "", err
	case next == following.Plan:
		return turn.Plan, nil
	}
	complete, err := b.governor.Completer.Complete(ctx, id, plan.Planned)
	if err != nil || !complete {
		return "", err
	}
	return b.ended(ctx, run.Completed)
}

// ended takes over the state that the run was brought to. Once it has ended it is sampled again: what was read before
// may count a lease that the end took away.
func (b *beat) ended(ctx context.Context, state run.State) (turn.Next, error) {
	b.record.Status.State = state
	if !state.Ended() {
		return "", nil
	}
	_, _, err := b.sample(ctx)
	return turn.End, err
}

// rest waits for the next sample. False: the beat is over.
func (b *beat) rest(ctx context.Context) bool {
	left := min(time.Until(b.until), deadline.Remaining(ctx)-margin)
	return left >= interval && deadline.Rest(ctx, interval)
}
