package operator

import (
	"fmt"
	"io"
	"strings"

	"backfill/internal/request"
	"backfill/internal/run"
)

// step is a command that can be typed next, and what for.
type step struct{ command, purpose string }

// steps are the commands that fit a run as it stands.
func (s *session) steps(status run.Status) []step {
	var steps []step
	if !status.State.Ended() && status.State != run.Paused {
		steps = append(steps, step{s.suggest("watch", status.Run), "follow it to its end"})
	}
	steps = append(steps, s.onward(status)...)
	if status.State == run.Paused {
		steps = append(steps, step{s.suggest("cancel", status.Run), "end it; " + stays(status)})
	}
	if undoable(status) {
		purpose := "take back what it wrote"
		if backward(status) { // that may have been of some chunks
			purpose = "take back all that it wrote"
		}
		steps = append(steps, step{s.suggest("rollback", status.Run), purpose})
	}
	if status.Rows.Rejected > 0 && status.Undo.SweptAt == nil {
		steps = append(steps, step{s.suggest("rejects", status.Run), "see the rows that were rejected"})
		if status.State.Ended() && !backward(status) {
			steps = append(steps, step{s.suggest("retry", status.Run), "try them again when they are mended"})
		}
	}
	if status.Rows.Conflicts > 0 && status.Undo.SweptAt == nil {
		steps = append(steps, step{s.suggest("conflicts", status.Run), "see the rows that were left alone"})
	}
	if unsettled(status) {
		steps = append(steps, step{s.suggest("deviations", status.Run), "get the SQL that lists the rows that deviate"})
	}
	if status.Certificate != nil {
		steps = append(steps, step{s.suggest("certificate", status.Run), "see what was verified, and the SQL that a migration can rely on"})
	}
	return steps
}

// onward is what lets the run go on; where chunks failed because of their rows, what comes before.
func (s *session) onward(status run.Status) []step {
	if !resumable(status) {
		return nil
	}
	steps, after := s.mending(status), ""
	if steps != nil {
		after = " after that"
	}
	if unapproved(status) {
		return append(steps, step{s.suggest("approve", status.Run), "go on with the rest" + after}, step{s.suggest("rollback", status.Run), "take the canary back"})
	}
	purpose := "go on"
	switch {
	case backward(status):
		purpose = "go on with the rollback"
	case verifying(status):
		purpose = "go on with the verification"
	case status.Pause != nil && status.Pause.For == run.ForFailure && steps == nil:
		purpose = "go on, and try the chunks that failed again"
	}
	return append(steps, step{s.suggest("resume", status.Run), purpose + after})
}

// unsettled tells whether the last verification has left rows that do not hold what they should.
func unsettled(status run.Status) bool {
	c := status.Certificate
	return c != nil && c.Values != nil && c.Values.Deviating > c.Values.Mended
}

// resumable tells whether the run can go on: one without a table was refused before it began, and a rollback needs undo.
func resumable(status run.Status) bool {
	back := status.Action == request.Rollback && status.Undo.SweptAt != nil
	return began(status) && (status.State.Pauses() || status.State == run.Cancelled || status.State == run.Failed) && !back
}

// undoable tells whether something is left to be rolled back. What is kept for undo is weighed when a chunk is
// completed: before that nobody knows whether the definition switched undo off, and the stack has the last word.
func undoable(status run.Status) bool {
	left := status.Rows.Affected - status.Rows.Restored - status.Rows.Conflicts
	return status.State.Ended() && status.State != run.RolledBack && status.Undo.SweptAt == nil && left > 0 &&
		(status.Undo.Bytes > 0 || status.Chunks.Completed == 0)
}

// aligned writes each step as a line, purposes below each other.
func aligned(steps []step) []string {
	wide, lines := 0, make([]string, len(steps))
	for _, step := range steps {
		wide = max(wide, len(step.command))
	}
	for i, step := range steps {
		lines[i] = fmt.Sprintf("%-*s    %s", wide, step.command, step.purpose)
	}
	return lines
}

// offer prints steps below what they follow from.
func offer(w io.Writer, steps ...step) {
	for _, line := range aligned(steps) {
		fmt.Fprintln(w, "  "+line)
	}
}

// advice is what to do about a run that did not end as it should, in a sentence.
func (s *session) advice(status run.Status) string {
	if status.State == run.RolledBack {
		return "nothing of what it wrote is left; give another --run to do it again"
	}
	var parts []string
	for _, step := range s.steps(status) {
		parts = append(parts, step.command+" to "+step.purpose)
	}
	if parts == nil {
		parts = []string{s.suggest("status", status.Run) + " has the figures"}
	}
	if status.State == run.Paused { // to end it says what stays
		return strings.Join(parts, ", ")
	}
	return stays(status) + "; " + strings.Join(parts, ", ")
}

// stays says what an end leaves as it is.
func stays(status run.Status) string {
	if backward(status) {
		return "rows that were restored stay so"
	}
	if verifying(status) {
		return "rows that were written again stay so"
	}
	return "what was committed stays"
}
