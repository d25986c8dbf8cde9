package operator

import (
	"fmt"
	"io"
	"strings"
	"time"

	"backfill/internal/figure"
	"backfill/internal/run"
)

// screen shows one run in full.
func (s *session) screen(w io.Writer, status run.Status) {
	now := s.Now()
	put := func(label, format string, args ...any) {
		if text := printable(fmt.Sprintf(format, args...)); text != "" {
			fmt.Fprintf(w, "%-9s %s\n", label, text)
		}
	}
	put("run", "%s", status.Run)
	put("backfill", "%s", onTable(status))
	s.state(w, status)
	if status.Pause != nil {
		put("paused", "%s", moment(&status.Pause.Since, now))
		put("goes on", "%s", moment(status.Pause.Until, now))
	}
	if began(status) {
		put("progress", "%d%%", percent(status))
		put("rows", "%s", rowsOf(status))
		put("chunks", "%s", chunksOf(status))
	}
	put("undo", "%s", undo(status, now))
	put("striping", "%s", status.Striping.Reason)
	if moving(status.State) {
		put("speed", "%s", speed(status, now))
		s.signals(w, status)
	}
	put("started", "%s", moment(&status.StartedAt, now))
	put("ended", "%s", moment(status.EndedAt, now))
	if !status.State.Ended() {
		put("updated", "%s", moment(&status.UpdatedAt, now))
		put("end", "%s", moment(status.ETA, now))
	}
	log := "changes"
	for _, change := range status.Changes[max(len(status.Changes)-mostChanges, 0):] {
		put(log, "%s", changed(change, now))
		log = ""
	}
	next, label := aligned(s.steps(status)), "next"
	if !began(status) {
		next = []string{anew}
	}
	for _, line := range next {
		put(label, "%s", line)
		label = ""
	}
}

// mostChanges is how many of the last changes are shown; -o json has more.
const mostChanges = 5

// changed is one change: when, to which state, by whom, and why.
func changed(change run.Change, now time.Time) string {
	text := moment(&change.At, now)
	if change.State != "" {
		text += " " + string(change.State)
	}
	if change.By != "" && !strings.Contains(change.Detail, change.By) {
		text += " by " + change.By
	}
	if change.Detail != "" {
		text += ": " + brief(change.Detail)
	}
	return text
}

// undo is what the run keeps to be rolled back.
func undo(status run.Status, now time.Time) string {
	switch {
	case status.State == run.RolledBack:
		return ""
	case status.Undo.SweptAt != nil:
		return "removed " + moment(status.Undo.SweptAt, now) + ": the run can no longer be rolled back"
	case status.Undo.Bytes > 0:
		return size(status.Undo.Bytes) + " kept"
	}
	return ""
}

func onTable(status run.Status) string {
	switch {
	case status.Backfill == "":
		return status.Table
	case status.Table == "":
		return status.Backfill
	}
	return status.Backfill + " on " + status.Table
}

// state is the state and its reason, of which a refused definition has many lines.
func (s *session) state(w io.Writer, status run.Status) {
	fmt.Fprintf(w, "%-9s %s", "state", s.standing(w, status))
	for i, line := range strings.Split(status.Reason, "\n") {
		switch {
		case line == "":
		case i == 0:
			fmt.Fprint(w, ": "+printable(line))
		default:
			fmt.Fprintf(w, "\n%-9s %s", "", printable(line))
		}
	}
	fmt.Fprintln(w)
}

func rowsOf(status run.Status) string {
	rows := status.Rows
	text := figure.Count(rows.Scanned)
	if rows.Estimated > 0 {
		text += " of about " + figure.Count(rows.Estimated)
	}
	text += " read, " + figure.Count(rows.Affected) + " " + deed(status)
	text += rejected(rows)
	if rows.Restored > 0 {
		text += ", " + figure.Count(rows.Restored) + " restored"
	}
	return text + conflicts(rows)
}

func chunksOf(status run.Status) string {
	chunks, planned := status.Chunks, "planned so far"
	if chunks.AllPlanned || status.State.Ended() {
		planned = "planned"
	}
	if status.State.Ended() { // a copy of the figures may be older than the end
		chunks.Pending, chunks.Processing = chunks.Pending+chunks.Processing, 0
	}
	parts := []string{fmt.Sprintf("%s %s: %s completed", figure.Count(chunks.Total), planned, figure.Count(chunks.Completed))}
	for _, part := range []struct {
		n    int64
		what string
	}{
		{chunks.Processing, "at work"}, {chunks.Pending, "pending"}, {chunks.Failed, "failed"}, {chunks.RolledBack, "rolled back"},
	} {
		if part.n > 0 {
			parts = append(parts, figure.Count(part.n)+" "+part.what)
		}
	}
	return strings.Join(parts, ", ") + "; " + figure.Plural(chunks.Retries, "retry", "retries")
}

// speed is the rate, who makes it, and why it is not another.
func speed(status run.Status, now time.Time) string {
	text := figure.Count(int64(status.Rate)) + " rows/s by " + figure.Plural(status.Concurrency, "worker", "workers")
	if reason := why(status, now); reason != "" && reason != status.Reason {
		text += ": " + reason
	}
	return text
}

// moment is a time and how far away it is.
func moment(at *time.Time, now time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	text := at.UTC().Format("2006-01-02 15:04:05 UTC")
	away := now.Sub(*at)
	if away.Abs() < time.Second {
		return text
	}
	if away > 0 {
		return text + " (" + span(away) + " ago)"
	}
	return text + " (in " + span(-away) + ")"
}
