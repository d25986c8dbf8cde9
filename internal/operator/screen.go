package operator

import (
	"fmt"
	"io"
	"strings"
	"time"

	"backfill/internal/figure"
	"backfill/internal/run"
)

// screen shows one run in full, in no more lines than a terminal has as a rule: where there is more to say, older changes give
// way, and signals far from their limits are counted. On a terminal what failed and what changed has a line each.
func (s *session) screen(w io.Writer, status run.Status) {
	next := aligned(s.steps(status))
	if !began(status) {
		next = []string{anew}
	}
	s.sheet(w, status, next)
}

func (s *session) sheet(w io.Writer, status run.Status, next []string) {
	above, below := s.standingOf(w, status), s.times(status)
	failures := broken(status, s.Now())
	log := changes(status, s.Now())
	if columns, terminal := s.Width(w); terminal {
		width := max(columns-len(labelled("", "")), worthless)
		failures, log = cut(failures, width), cut(log, width)
	}
	room := mostLines - len(above) - len(below) - len(failures) - len(next)
	var signals []string
	if moving(status.State) {
		signals = readings(status.Throttle.Signals, room-min(len(log), 1))
	}
	log = log[max(len(log)-max(room-len(signals), 1), 0):]
	for _, line := range above {
		fmt.Fprintln(w, line)
	}
	section(w, "signals", signals)
	section(w, "failures", failures)
	for _, line := range below {
		fmt.Fprintln(w, line)
	}
	section(w, "changes", log)
	section(w, "next", next)
}

// mostLines is what a terminal shows.
const mostLines = 24

// standingOf is what the run is, and how far it has come.
func (s *session) standingOf(w io.Writer, status run.Status) sheet {
	var l sheet
	now := s.Now()
	l.put("run", status.Run)
	l.put("backfill", onTable(status))
	l = append(l, s.state(w, status)...)
	if status.Pause != nil {
		l.put("paused", moment(&status.Pause.Since, now))
		l.put("goes on", moment(status.Pause.Until, now))
	}
	if began(status) {
		l.put("progress", fmt.Sprintf("%d%%", percent(status)))
		l.put("rows", rowsOf(status))
		l.put("chunks", chunksOf(status))
	}
	for i, line := range canaryOf(status) {
		l.put([]string{"canary", ""}[min(i, 1)], line)
	}
	l.put("tuned", overOf(status.Throttle.Limits, ""))
	l.put("undo", undo(status, now))
	l.put("striping", status.Striping.Reason)
	l.put("verified", verifiedOf(status, now))
	if moving(status.State) {
		l.put("speed", speed(status, now))
	}
	return l
}

// times are when the run began, was heard of last, and ends.
func (s *session) times(status run.Status) sheet {
	var l sheet
	now := s.Now()
	l.put("started", moment(&status.StartedAt, now))
	l.put("ended", moment(status.EndedAt, now))
	if !status.State.Ended() {
		l.put("updated", moment(&status.UpdatedAt, now))
		l.put("end", ending(status, now))
	}
	return l
}

// broken are the last chunks that failed: which, when, and why where the run's reason does not say that. What a reason says of the
// place, this line has said.
func broken(status run.Status, now time.Time) (lines []string) {
	for _, f := range status.Failures {
		line := fmt.Sprintf("chunk %d, %s", f.Chunk, age(now.Sub(f.At)))
		if reason := brief(f.Reason); !strings.Contains(status.Reason, reason) {
			if _, after, found := strings.Cut(reason, fmt.Sprintf(" of chunk %d of run %s: ", f.Chunk, status.Run)); found {
				reason = after
			}
			line += ": " + reason
		}
		lines = append(lines, line)
	}
	return lines
}

// changes are the last of the run's log.
func changes(status run.Status, now time.Time) (lines []string) {
	for _, change := range status.Changes[max(len(status.Changes)-mostChanges, 0):] {
		lines = append(lines, changed(change, now))
	}
	return lines
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

// verifiedOf is when the run was verified last, and whether all held.
func verifiedOf(status run.Status, now time.Time) string {
	switch c := status.Certificate; {
	case verifying(status):
		return fmt.Sprintf("%s of %s rows so far", figure.Count(status.Rows.Verified), figure.Count(status.Rows.Scanned)) + deviations(status.Rows)
	case c == nil:
		return ""
	case c.Holds:
		return "it holds, " + moment(&c.At, now) + unseenOf(status)
	default:
		return "it does not hold, " + moment(&c.At, now) + unseenOf(status)
	}
}

// unseenOf tells, as the end of a sentence, that a certificate is not about rows; why, where the state does not have it.
func unseenOf(status run.Status) string {
	c := status.Certificate
	switch {
	case c.Values != nil:
		return ""
	case strings.Contains(status.Reason, c.Unfit):
		return "; rows were not looked at"
	}
	return "; rows were not looked at: " + c.Unfit
}

func onTable(status run.Status) string {
	switch {
	case status.Backfill == "":
		return tableOf(status)
	case status.Table == "":
		return definitionOf(status)
	}
	return definitionOf(status) + " on " + tableOf(status)
}

// tableOf is the table of a run, with the database where that is not the stack's own.
func tableOf(status run.Status) string { return in(status.Table, status.Database) }

func in(table, database string) string {
	if table == "" || database == "" {
		return table
	}
	return table + " in " + database
}

// definitionOf is the backfill of a run, with the version where it was registered: NAME@N, as start takes it.
func definitionOf(status run.Status) string {
	if status.Version == 0 {
		return status.Backfill
	}
	return fmt.Sprintf("%s@%d", status.Backfill, status.Version)
}

// state is the state and its reason, of which a refused definition has many lines.
func (s *session) state(w io.Writer, status run.Status) []string {
	lines := strings.Split(status.Reason, "\n")
	text := s.standing(w, status)
	if lines[0] != "" {
		text += ": " + printable(lines[0])
	}
	state := []string{fmt.Sprintf("%-9s %s", "state", text)} // its colour is printed as it is
	for _, line := range lines[1:] {
		if line != "" {
			state = append(state, labelled("", line))
		}
	}
	return state
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
	text := figure.Count(int64(status.Rate)) + " rows/s"
	if status.Average > 0 {
		text += ", " + figure.Count(int64(status.Average)) + " on average"
	}
	text += ", by " + figure.Plural(status.Concurrency, "worker", "workers")
	if most := status.Throttle.Workers; most.Most > 0 && !strings.Contains(status.Throttle.Reason, most.Reason) {
		text += fmt.Sprintf(" (at most %s: %s)", figure.Count(most.Most), most.Reason)
	}
	if reason := why(status, now); reason != "" && reason != status.Reason {
		text += ": " + reason
	}
	return text
}

// ending is the estimated end, and how far the average speed puts it from the present one's.
func ending(status run.Status, now time.Time) string {
	text := moment(status.ETA, now)
	spread := status.ETASpread
	if text == "" || spread == nil || !spread.From.After(now) || span(spread.From.Sub(now)) == span(spread.To.Sub(now)) {
		return text
	}
	return text + ", " + span(spread.From.Sub(now)) + " to " + span(spread.To.Sub(now)) + " by its present and its average speed"
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
