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

// Rate smooths rows per second, from the rate before and what was scanned in the time since.
func Rate(before float64, scanned int64, since time.Duration) float64 {
	return smooth(before, scanned, since, halfLife)
}

// Average is that of all the time a run has gone on without a break, of age so far; of a long run the newest minutes weigh most.
func Average(before float64, scanned int64, since, age time.Duration) float64 {
	return smooth(before, scanned, since, min(max(age/2, halfLife), longest))
}

func smooth(before float64, scanned int64, since, halfLife time.Duration) float64 {
	if since <= 0 || scanned < 0 {
		return before
	}
	now := float64(scanned) / since.Seconds()
	if before <= 0 {
		return now
	}
	weight := math.Exp2(-float64(since) / float64(halfLife))
	return weight*before + (1-weight)*now
}

// stalled is the part of the average rate below which nothing moves: a minute and a half after the last row.
const stalled = 0.02

// ETA estimates the end. Before all chunks are planned, the catalog's estimate of rows is all there is; afterwards
// the chunks that are left are counted, each as large as those that are done. The spread is between the present speed and the average.
func ETA(status run.Status, now time.Time) (*time.Time, *run.Spread) {
	left := float64(status.Rows.Estimated - status.Rows.Scanned)
	switch {
	case status.State == run.RollingBack:
		left = float64(status.Rows.Affected - status.Rows.Restored - status.Rows.Conflicts)
	case status.State == run.Verifying:
		left = float64(status.Rows.Scanned - status.Rows.Verified)
	case status.Chunks.AllPlanned && status.Chunks.Completed > 0:
		size := float64(status.Rows.Scanned) / float64(status.Chunks.Completed+status.Chunks.Processing)
		left = size * float64(status.Chunks.Total-status.Chunks.Completed)
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

func after(now time.Time, seconds float64) time.Time {
	seconds = math.Min(seconds, 10*365*24*3600) // a duration holds 292 years
	return now.Add(time.Duration(seconds * float64(time.Second))).UTC().Truncate(time.Second)
}
