package operator

import (
	"fmt"
	"io"
	"strings"
	"time"

	"backfill/internal/run"
)

// pause is the least time between two lines of a run whose state stays the same.
const pause = 3 * time.Second

// lines shows a run where there is no terminal: a line whenever figures change.
type lines struct {
	out  io.Writer
	now  func() time.Time
	last string // what was said, without time and speed
	at   time.Time
	was  run.State
}

func (l *lines) show(status run.Status) {
	said := line(status, time.Time{})
	now := l.now()
	if said == l.last || status.State == l.was && now.Sub(l.at) < pause {
		return
	}
	l.last, l.at, l.was = said, now, status.State
	fmt.Fprintf(l.out, "%s  %s\n", now.UTC().Format(time.RFC3339), line(status, now))
}

func (l *lines) end() {}

// line is one look at a run. Without a time it has only what is worth a new line.
func line(status run.Status, now time.Time) string {
	parts := []string{fmt.Sprintf("%s %d%%", status.State, percent(status)), progress(status)}
	if !now.IsZero() {
		parts = append(parts, pace(status, now)...)
	}
	parts = append(parts, chunks(status))
	text := strings.Join(parts, ", ")
	if reason := why(status, now); reason != "" && !now.IsZero() {
		text += ": " + reason
	}
	return printable(text)
}

// progress is how many rows were read.
func progress(status run.Status) string {
	if status.Rows.Estimated > 0 && !status.State.Ended() {
		return fmt.Sprintf("%s of about %s rows", count(status.Rows.Scanned), count(status.Rows.Estimated))
	}
	return plural(status.Rows.Scanned, "row", "rows")
}

// pace is the speed and what is left, while the run goes on.
func pace(status run.Status, now time.Time) []string {
	if status.State.Ended() || status.Rate <= 0 {
		return nil
	}
	parts := []string{count(int64(status.Rate)) + " rows/s"}
	if left := remaining(status, now); left != "" {
		parts = append(parts, left)
	}
	return parts
}

// chunks is how many chunks are done, of those that are planned so far.
func chunks(status run.Status) string {
	c := status.Chunks
	text := fmt.Sprintf("chunks %s/%s", count(c.Completed), count(c.Total))
	if !c.AllPlanned && !status.State.Ended() {
		text += "+"
	}
	if c.Processing > 0 {
		text += fmt.Sprintf(" (%s at work)", count(c.Processing))
	}
	if c.Failed > 0 {
		text += fmt.Sprintf(", %s failed", count(c.Failed))
	}
	if c.Retries > 0 {
		text += ", " + plural(c.Retries, "retry", "retries")
	}
	return text
}
