package operator

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"backfill/internal/run"
)

// silence is when a run without a sign of life is worth a word: the governor writes every second or two.
const silence = 3 * time.Minute

// count writes 1234567 as 1,234,567.
func count(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%s,%03d", count(n/1000), n%1000)
}

// estimate is the catalog's figure, where it has one.
func estimate(rows int64) string {
	if rows <= 0 {
		return ""
	}
	return ", about " + count(rows) + " rows"
}

// plural writes "1 chunk", "2 chunks".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
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
	if status.State == run.Completed {
		return 1
	}
	part := 0.0
	if status.Rows.Estimated > 0 {
		part = float64(status.Rows.Scanned) / float64(status.Rows.Estimated)
	}
	if chunks := status.Chunks; chunks.AllPlanned && chunks.Total > 0 {
		least := float64(chunks.Completed) / float64(chunks.Total)
		most := float64(chunks.Completed+chunks.Processing) / float64(chunks.Total)
		part = min(max(part, least), most)
	}
	return min(max(part, 0), 0.99)
}

func percent(status run.Status) int { return int(done(status) * 100) }

// remaining is the time to the estimated end; "" where nobody knows.
func remaining(status run.Status, now time.Time) string {
	if status.ETA == nil || !status.ETA.After(now) || !status.State.Works() {
		return ""
	}
	return span(status.ETA.Sub(now)) + " left"
}

// why is the reason of the present speed.
func why(status run.Status, now time.Time) string {
	quiet := now.Sub(status.UpdatedAt)
	switch {
	case status.State.Ended(), status.State == run.Cancelling:
		return status.Reason
	case !status.UpdatedAt.IsZero() && quiet > silence:
		return "no sign of life for " + span(quiet) + "; look at the run's execution in Step Functions"
	case status.Reason != "":
		return status.Reason
	}
	return status.Throttle.Reason
}
