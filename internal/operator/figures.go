package operator

import (
	"fmt"
	"math"
	"time"

	"backfill/internal/figure"
	"backfill/internal/request"
	"backfill/internal/run"
)

// silence is when a run without a sign of life is worth a word: the governor writes every second or two.
const silence = 3 * time.Minute

// estimate is the catalog's figure, where it has one.
func estimate(rows int64) string {
	if rows <= 0 {
		return ""
	}
	return ", about " + figure.Count(rows) + " rows"
}

// span writes a duration as people say it.
func span(d time.Duration) string {
	seconds := int64(math.Round(d.Seconds()))
	switch {
	case seconds < 1:
		return fmt.Sprintf("%.1f s", max(d.Seconds(), 0))
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %02d s", seconds/60, seconds%60)
	case seconds < 48*3600:
		return fmt.Sprintf("%d h %02d min", seconds/3600, seconds%3600/60)
	}
	return fmt.Sprintf("%d days", seconds/(24*3600))
}

// size writes bytes as people say them.
func size(bytes int64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes)/1024, 0
	for ; value >= 1023.95 && unit < 4; unit++ { // what would be rounded to 1024.0
		value /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[unit])
}

// age is a past in one unit, for a column.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// done is the part of a run that is done, 0 to 1. Rows give the fine figure; they are measured against the catalog's
// estimate, which may be far off, so chunks give the bounds as soon as all are planned.
func done(status run.Status) float64 {
	if status.State == run.Completed || status.State == run.RolledBack {
		return 1
	}
	if backward(status) {
		return restored(status.Rows)
	}
	if verifying(status) {
		return min(float64(status.Rows.Verified)/max(float64(status.Rows.Scanned), 1), 0.99)
	}
	part := 0.0
	if status.Rows.Estimated > 0 {
		part = float64(status.Rows.Scanned) / float64(status.Rows.Estimated)
	}
	if chunks := status.Chunks; chunks.AllPlanned && chunks.Total > 0 {
		most := chunks.Total - chunks.RolledBack
		if untouched(status) {
			most = chunks.Completed + chunks.Processing
		}
		part = max(part, float64(chunks.Completed)/float64(chunks.Total))
		part = min(part, float64(most)/float64(chunks.Total))
	}
	return min(max(part, 0), 0.99)
}

// untouched tells whether chunks that are neither completed nor at work have no rows that are done. Where a worker has ever
// left one, by a pause, an end of the run or a retry, they may; the rows tell then, unless they are more than were estimated.
func untouched(status run.Status) bool {
	first := status.State.Works() && status.Chunks.Retries == 0 && status.Chunks.Begun == 0 && status.Chunks.Processing > 0
	return first || status.Rows.Scanned > status.Rows.Estimated
}

// backward tells whether the figures that matter are those of a rollback: it goes on, or it ended too early.
func backward(status run.Status) bool {
	return status.State == run.RollingBack || status.State == run.RolledBack || status.Action == request.Rollback
}

// verifying tells whether the figures that matter are those of a verification that goes on.
func verifying(status run.Status) bool {
	return status.State == run.Verifying || status.Action == request.Verify
}

// restored is the part of the changed rows that a rollback has dealt with.
func restored(rows run.Rows) float64 {
	if rows.Affected <= 0 {
		return 0
	}
	return min(float64(rows.Restored+rows.Conflicts)/float64(rows.Affected), 0.99)
}

// moving tells whether workers work, whichever way.
func moving(state run.State) bool { return state.Moves() }

func percent(status run.Status) int { return int(done(status) * 100) }

// remaining is the time to the estimated end; "" where nobody knows.
func remaining(status run.Status, now time.Time) string {
	if status.ETA == nil || !status.ETA.After(now) || !moving(status.State) {
		return ""
	}
	return span(status.ETA.Sub(now)) + " left"
}

// why is the reason of the present speed.
func why(status run.Status, now time.Time) string {
	switch {
	case status.State.Ended(), status.State == run.Cancelling, status.State == run.Paused: // nobody reports on it
		return status.Reason
	case unheard(status, now):
		return "no sign of life for " + span(now.Sub(status.UpdatedAt)) + "; resume the run if its execution in Step Functions has ended"
	case status.Reason != "":
		return status.Reason
	}
	return status.Throttle.Reason
}

// unheard tells whether nobody reports on the run any more.
func unheard(status run.Status, now time.Time) bool {
	return !status.UpdatedAt.IsZero() && now.Sub(status.UpdatedAt) > silence
}
