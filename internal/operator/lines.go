package operator

import (
	"fmt"
	"io"
	"time"

	"backfill/internal/figure"
	"backfill/internal/run"
)

// pause is the least time between two lines of a run whose state stays the same.
const pause = 3 * time.Second

// lines shows a run where there is no terminal: a line whenever figures change, with the reason where that changes, and
// one now and then where nothing does.
type lines struct {
	out    io.Writer
	now    func() time.Time
	news   news
	last   string // figures that were printed
	at     time.Time
	state  run.State
	reason string
}

func (l *lines) show(status run.Status) {
	if status.State.Ended() && !began(status) {
		return // there are no figures
	}
	now := l.now()
	figures := fmt.Sprintf("%s %d%%, %s, %s", status.State, percent(status), progress(status), chunks(status))
	still := l.news.look(status, figures, now)
	if figures != l.last && (status.State != l.state || now.Sub(l.at) >= pause) {
		l.print(status, figures, l.change(status, now))
	} else if text := standstill(status, still, now); text != "" && now.Sub(l.at) >= patient {
		l.print(status, figures, "; "+text)
	}
}

// change is what follows the figures of a run that goes on: its pace, and the reason where that is new.
func (l *lines) change(status run.Status, now time.Time) string {
	text := ""
	for _, part := range pace(status, now) {
		text += ", " + part
	}
	if reason := l.news.reason(status, now); reason != l.reason && reason != "" {
		text += ": " + reason
		l.reason = reason
	}
	return text
}

func (l *lines) print(status run.Status, figures, rest string) {
	l.last, l.at, l.state = figures, l.now(), status.State
	fmt.Fprintf(l.out, "%s  %s\n", l.at.UTC().Format(time.RFC3339), printable(figures+rest))
}

func (l *lines) end() {}

// progress is how many rows were read, or restored.
func progress(status run.Status) string {
	if backward(status) {
		return fmt.Sprintf("%s of %s rows restored", figure.Count(status.Rows.Restored), figure.Count(status.Rows.Affected)) + conflicts(status.Rows)
	}
	if verifying(status) {
		return fmt.Sprintf("%s of %s rows verified", figure.Count(status.Rows.Verified), figure.Count(status.Rows.Scanned)) + deviations(status.Rows)
	}
	if status.Rows.Estimated > 0 && status.State != run.Completed {
		return fmt.Sprintf("%s of about %s rows", figure.Count(status.Rows.Scanned), figure.Count(status.Rows.Estimated)) + looked(status)
	}
	return figure.Plural(status.Rows.Scanned, "row", "rows") + looked(status)
}

// rejected counts the rows that were passed over, as a part of a list.
func rejected(rows run.Rows) string {
	if rows.Rejected == 0 {
		return ""
	}
	return ", " + figure.Count(rows.Rejected) + " rejected"
}

// conflicts counts the rows that were left alone, as the end of a list.
func conflicts(rows run.Rows) string {
	if rows.Conflicts == 0 {
		return ""
	}
	return ", " + figure.Plural(rows.Conflicts, "conflict", "conflicts")
}

// deviations counts what a verification has found so far, as the end of a list.
func deviations(rows run.Rows) string {
	switch {
	case rows.Deviating == 0:
		return ""
	case rows.Mended > 0:
		return fmt.Sprintf(", %s deviated, %s written again", figure.Count(rows.Deviating), figure.Count(rows.Mended))
	}
	return fmt.Sprintf(", %s deviate", figure.Count(rows.Deviating))
}

// pace is the speed and what is left, while workers work.
func pace(status run.Status, now time.Time) []string {
	if !moving(status.State) || status.Rate <= 0 {
		return nil
	}
	parts := []string{figure.Count(int64(status.Rate)) + " rows/s"}
	if left := remaining(status, now); left != "" {
		parts = append(parts, left)
	}
	return parts
}

// chunks is how many chunks are done, of those that are planned so far.
func chunks(status run.Status) string {
	c := status.Chunks
	text := doneOf(status)
	if c.Processing > 0 && !status.State.Ended() { // a copy of the figures may be older than the end
		text += fmt.Sprintf(" (%s at work)", figure.Count(c.Processing))
	}
	if c.Failed > 0 {
		text += fmt.Sprintf(", %s failed", figure.Count(c.Failed))
	}
	if c.Retries > 0 {
		text += ", " + figure.Plural(c.Retries, "retry", "retries")
	}
	return text
}

// doneOf counts the chunks that are done: forward, back, or some of both.
func doneOf(status run.Status) string {
	c := status.Chunks
	switch {
	case status.State == run.RolledBack: // chunks that no worker ever claimed are no part of it
		return figure.Plural(c.RolledBack, "chunk", "chunks") + " rolled back"
	case backward(status):
		return fmt.Sprintf("chunks %s/%s rolled back", figure.Count(c.RolledBack), figure.Count(c.Total))
	}
	text := fmt.Sprintf("chunks %s/%s", figure.Count(c.Completed), figure.Count(c.Total))
	if !c.AllPlanned && !status.State.Ended() {
		text += "+"
	}
	if c.RolledBack > 0 {
		text += fmt.Sprintf(", %s rolled back", figure.Count(c.RolledBack))
	}
	return text
}
