package governor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/forecast"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/run"
	"backfill/internal/signal"
	"backfill/internal/throttle"
)

// observe brings the status up to date, and tells the speed since it was brought up to date before.
func (b *beat) observe(p ledger.Progress) (speed float64) {
	b.record.Beats = p.Beats
	status := &b.record.Status
	before, at := status.Rows, status.UpdatedAt
	observation.Update(status, p, b.record.Plan)
	handled, since := status.Rows.Handled()-before.Handled(), status.UpdatedAt.Sub(at)
	age := p.Now.Sub(moving(*status))
	status.Rate = forecast.Rate(status.Rate, handled, since, age)
	status.Average = forecast.Average(status.Average, handled, since, age)
	status.ETA, status.ETASpread = forecast.ETA(*status, p.Whole, p.Now)
	if since < time.Second { // too short to tell
		return status.Rate
	}
	return forecast.Rate(0, handled, since, since)
}

// moving is since when the run goes on without a break: planned or not, workers are at it.
func moving(status run.Status) time.Time {
	began := time.Time{}
	for _, change := range slices.Backward(status.Changes) {
		switch {
		case change.State.Moves():
			began = change.At
		case change.State != "" && !began.IsZero():
			return began
		}
	}
	if began.IsZero() || status.StartedAt.Before(began) {
		return status.StartedAt
	}
	return began
}

// throttle has the rate of the database decided, and notes why the run is not faster. A run goes on where that fails.
func (b *beat) throttle(ctx context.Context, p ledger.Progress, speed float64) {
	status := &b.record.Status
	regulated := run.Throttle{}
	if p.State.Moves() {
		var err error
		if regulated, err = b.governor.Regulator.Regulate(ctx, status.Run, speed); err != nil {
			slog.WarnContext(ctx, "rate not decided", "run", status.Run, "class", failure.Of(err), "error", failure.Safe(err))
		}
	}
	regulated.Limits = p.Limits
	regulated.Workers = p.Limits.Slots(b.governor.MaxWorkers, p.Useful)
	b.cause, regulated.Reason = b.limit(p, regulated)
	if p.Looking > 0 && p.State.Works() {
		regulated.Reason = looking + "; " + regulated.Reason
	}
	if b.cause == backingOff { // nobody knows for how long
		status.ETA, status.ETASpread = nil, nil
	}
	if p.State.Pauses() {
		regulated.Reason = p.Reason
		status.Rate, status.Average, status.ETA, status.ETASpread = 0, 0, nil, nil
	}
	status.Throttle = regulated
}

// looking is what workers do when a canary is worked off, and its rows are verified by value.
const looking = "the canary's rows are looked at, before the run waits for an approval"

// between two chunks of a run that has limits, and before the chunks that a canary has opened are sent, nobody works for a moment.
const between = 10 * time.Second

// silent is how long no batch is committed before a worker that backs off is why: others may be at work beside it.
const silent = 5 * time.Second

// cause is what keeps a run from being faster, of a few: the dimension of a metric.
type cause string

// The causes, beside the names of signals.
const (
	openTransactions cause = "open_transactions"
	noWorker         cause = "no_worker"
	byWAL            cause = "wal_limit"
	byRate           cause = "rate_limit"
	byWorkers        cause = "worker_limit"
	backingOff       cause = "backing_off"   // a worker waits for a user's lock, or for a server that does not answer
	byCeiling        cause = "stack_ceiling" // as fast as it may be
	byMetric         cause = "metric"        // of a definition's own
	recovering       cause = "recovering"    // from a cut, or signals are missing
)

// limit says why the run is not faster.
func (b *beat) limit(p ledger.Progress, regulated run.Throttle) (cause, string) {
	if p.Writers > 0 {
		return openTransactions, fmt.Sprintf("waits for the end of %s in which rows of the table were written when its last key was read: those may not be visible yet",
			figure.Plural(p.Writers, "transaction", "transactions"))
	}
	if strings.HasPrefix(p.Waits, ledger.BackingOff) && p.Now.Sub(p.Moved()) >= silent {
		return backingOff, fmt.Sprintf("no row since %s: %s", clock(p.Moved()), p.Waits)
	}
	rate, whose := p.Limits.Least()
	waiting := b.record.Plan.Planned - p.Known + p.Pending
	limited := p.Canary > 0 || rate != nil || regulated.Rate != nil || regulated.WAL != nil || regulated.Workers.Most < b.governor.MaxWorkers
	if p.Idle && waiting > p.Held && (!limited || p.Now.Sub(p.Moved()) >= between) {
		return noWorker, fmt.Sprintf("no worker holds a chunk; what waits for longer than %.0f s is sent again", ledger.LostIdle.Seconds())
	}
	if wal := regulated.WAL; wal != nil && p.Limits.DatabaseWAL != nil && lower(wal, rate) && lower(wal, regulated.Rate) {
		return byWAL, fmt.Sprintf("at most %s/s of WAL%s, now %s rows/s", figure.Bytes(*p.Limits.DatabaseWAL), p.Limits.ForAll(), figure.Count(int64(*wal)))
	}
	if regulated.Rate != nil && regulated.Reason != "" && (rate == nil || *regulated.Rate <= *rate) {
		return worst(regulated.Signals), regulated.Reason
	}
	if rate != nil {
		return byRate, fmt.Sprintf("at most %s rows/s %s", figure.Count(int64(*rate)), whose)
	}
	if workers := regulated.Workers; workers.Most < b.governor.MaxWorkers {
		return byWorkers, fmt.Sprintf("at most %s at a time %s", figure.Plural(workers.Most, "worker", "workers"), workers.Reason)
	}
	return byCeiling, fmt.Sprintf("at most %d workers at a time (ceiling of the stack)", b.governor.MaxWorkers)
}

// worst names the signal that is nearest to its limit. Names of metrics are users' own, so there may be many.
func worst(readings []signal.Reading) cause {
	named, pressure := recovering, float64(throttle.Calm)
	for _, r := range readings {
		if r.Pressure() <= pressure {
			continue
		}
		pressure, named = r.Pressure(), byMetric
		if signal.Known(r.Name) {
			named = cause(r.Name)
		}
	}
	return named
}

// lower tells whether a rate is met before another; nil: there is none.
func lower(rate, other *float64) bool { return other == nil || *rate < *other }
