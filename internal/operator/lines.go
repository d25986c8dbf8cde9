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

// lines shows a run where there is no terminal: a line whenever figures change, with the reason where that changes.
type lines struct {
	out    io.Writer
	now    func() time.Time
	last   string // figures
	at     time.Time
	state  run.State
	reason string
}

func (l *lines) show(status run.Status) {
	now := l.now()
	figures := fmt.Sprintf("%s %d%%, %s, %s", status.State, percent(status), progress(status), chunks(status))
	if figures == l.last || status.State == l.state && now.Sub(l.at) < pause {
		return
	}
	parts := append([]string{figures}, pace(status, now)...)
	text := strings.Join(parts, ", ")
	if reason := why(status, now); reason != l.reason && reason != "" {
		text += ": " + reason
		l.reason = reason
	}
	l.last, l.at, l.state = figures, now, status.State
	fmt.Fprintf(l.out, "%s  %s\n", now.UTC().Format(time.RFC3339), printable(text))
}

func (l *lines) end() {}

// progress is how many rows were read, or restored.
func progress(status run.Status) string {
	if backward(status) {
		return fmt.Sprintf("%s of %s rows restored", count(status.Rows.Restored), count(status.Rows.Affected)) + conflicts(status.Rows)
	}
	if status.Rows.Estimated > 0 && !status.State.Ended() {
		return fmt.Sprintf("%s of about %s rows", count(status.Rows.Scanned), count(status.Rows.Estimated))
	}
	return plural(status.Rows.Scanned, "row", "rows")
}

// conflicts counts the rows that were left alone, as the end of a list.
func conflicts(rows run.Rows) string {
	if rows.Conflicts == 0 {
		return ""
	}
	return ", " + plural(rows.Conflicts, "conflict", "conflicts")
}

// pace is the speed and what is left, while workers work.
func pace(status run.Status, now time.Time) []string {
	if !moving(status.State) || status.Rate <= 0 {
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
	text := doneOf(status)
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

// doneOf counts the chunks that are done: forward, back, or some of both.
func doneOf(status run.Status) string {
	c := status.Chunks
	switch {
	case status.State == run.RolledBack: // chunks that no worker ever claimed are no part of it
		return plural(c.RolledBack, "chunk", "chunks") + " rolled back"
	case backward(status):
		return fmt.Sprintf("chunks %s/%s rolled back", count(c.RolledBack), count(c.Total))
	}
	text := fmt.Sprintf("chunks %s/%s", count(c.Completed), count(c.Total))
	if !c.AllPlanned && !status.State.Ended() {
		text += "+"
	}
	if c.RolledBack > 0 {
		text += fmt.Sprintf(", %s rolled back", count(c.RolledBack))
	}
	return text
}
