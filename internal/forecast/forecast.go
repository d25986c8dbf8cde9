// Package forecast tells the speed of a run and when it will end.
//
// It owns the smoothing of the rate, now and on average, and the estimate of what is left, with its spread. It is pure; time comes from the caller.
// Invariants: a rate is never negative; without a rate there is no estimate.
package forecast

import (
	"math"
	"time"

	"backfill/internal/run"
)

// halfLife is the age at which a sample weighs half: short enough to show a change within a minute, long enough that
// a chunk more or less does not move the estimate.
const halfLife = 15 * time.Second

// longest is the half-life of the average of a run that has gone on for twice as long.
const longest = 10 * time.Minute

// Rate smooths rows per second, from the rate before and what was handled in the time since; age is how long the run has gone on without a break.
func Rate(before float64, handled int64, since, age time.Duration) float64 {
	return smooth(before, handled, since, age, halfLife)
}

// Average is that of all the time a run has gone on without a break; of a long run the newest minutes weigh most.
func Average(before float64, handled int64, since, age time.Duration) float64 {
	return smooth(before, handled, since, age, min(max(age/2, halfLife), longest))
}

// smooth gives the rate before no more weight than the time that it was measured in: the first seconds, in which connections are made and batches
// are small, would else weigh as if the run had gone on like that for ever. In a break nothing was to be handled.
func smooth(before float64, handled int64, since, age, halfLife time.Duration) float64 {
	if since <= 0 || handled < 0 {
		return before
	}
	since = min(since, max(age, time.Second))
	now := float64(handled) / since.Seconds()
	if before <= 0 {
		return now
	}
	left := func(d time.Duration) float64 { return math.Exp2(-float64(d) / float64(halfLife)) }
	weight := left(since) * (1 - left(max(age-since, 0))) / (1 - left(max(age, since)))
	return weight*before + (1-weight)*now
}

// stalled is the part of the average rate below which nothing moves: a minute and a half after the last row.
const stalled = 0.02

// ETA estimates the end; whole is how many rows those chunks have that are done. The spread is between the present speed and the average.
func ETA(status run.Status, whole int64, now time.Time) (*time.Time, *run.Spread) {
	left := float64(status.Rows.Estimated - status.Rows.Scanned)
	switch {
	case status.State == run.RollingBack:
		left = float64(status.Rows.Affected - status.Rows.Restored - status.Rows.Conflicts)
	case status.State == run.Verifying:
		left = float64(status.Rows.Scanned - status.Rows.Verified)
	case status.Chunks.AllPlanned && status.Chunks.Completed > 0:
		left = math.Max(planned(status, whole)-float64(status.Rows.Scanned), 0)
	}
	average := float64(status.Rows.Handled()) / math.Max(now.Sub(status.StartedAt).Seconds(), 1)
	waits := status.Canary != nil && !status.Canary.Approved // for a person
	if status.Rate <= stalled*average || left < 0 || status.State.Ended() || waits {
		return nil, nil
	}
	eta := after(now, left/status.Rate)
	if status.Average <= 0 {
		return &eta, nil
	}
	spread := run.Spread{From: eta, To: after(now, left/status.Average)}
	if spread.To.Before(spread.From) {
		spread.From, spread.To = spread.To, spread.From
	}
	return &eta, &spread
}

// planned is how many rows a plan has that is closed: each of its chunks as many as those that are done, but for the last, which may have fewer. The catalog's estimate
// is taken where it is no more and no less than that; before all chunks are planned it is all there is.
func planned(status run.Status, whole int64) float64 {
	size, estimated := float64(whole)/float64(status.Chunks.Completed), float64(status.Rows.Estimated)
	most := size * float64(status.Chunks.Total)
	if estimated > most-size && estimated < most {
		return estimated
	}
	return most
}

func after(now time.Time, seconds float64) time.Time {
	seconds = math.Min(seconds, 10*365*24*3600) // a duration holds 292 years
	return now.Add(time.Duration(seconds * float64(time.Second))).UTC().Truncate(time.Second)
}
