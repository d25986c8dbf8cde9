package operator

import (
	"fmt"
	"io"
	"strings"
	"time"

	"backfill/internal/change"
	"backfill/internal/figure"
	"backfill/internal/request"
	"backfill/internal/run"
)

// summary tells how a run ended.
func (s *session) summary(w io.Writer, status run.Status) {
	if !began(status) {
		return // the fault says it
	}
	fmt.Fprintf(w, "run %s is %s%s\n", status.Run, s.standing(w, status), took(status))
	fmt.Fprintf(w, "  %s; %s\n", effect(status), chunks(status))
	if unapproved(status) {
		for _, line := range canaryOf(status) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	if status.State == run.Completed && (status.Certificate != nil || unverified(status)) {
		fmt.Fprintf(w, "  %s\n", printable(status.Reason))
	}
}

// effect is what was done to rows.
func effect(status run.Status) string {
	rows := status.Rows
	if backward(status) || verifying(status) {
		return progress(status)
	}
	text := fmt.Sprintf("%s read, %s %s", figure.Plural(rows.Scanned, "row", "rows"), figure.Count(rows.Affected), deed(status)) + rejected(rows)
	if seconds := lasted(status).Seconds(); seconds > 0 {
		text += fmt.Sprintf(", %s rows/s", figure.Count(int64(float64(rows.Scanned)/seconds)))
	}
	if rows.Restored > 0 {
		text += ", " + figure.Count(rows.Restored) + " restored"
	}
	return text + conflicts(rows)
}

// deed is what was done to the rows that were affected.
func deed(status run.Status) string { return change.Kind(status.Kind).Deed() }

// took is how long a run lasted, as the end of a sentence.
func took(status run.Status) string {
	if lasted(status) == 0 {
		return ""
	}
	return " after " + span(lasted(status))
}

// unverified tells whether a verification of the run was cancelled, or has failed.
func unverified(status run.Status) bool { return strings.HasPrefix(status.Reason, run.Unverified) }

// lasted is 0 after a rollback, be it of a part, and after a verification: they may have come days after the run.
func lasted(status run.Status) time.Duration {
	if status.EndedAt == nil || status.StartedAt.IsZero() || status.Action == request.Rollback || status.Chunks.RolledBack > 0 ||
		status.Certificate != nil || unverified(status) {
		return 0
	}
	return status.EndedAt.Sub(status.StartedAt)
}

// standing is a run's state, and whether it was in its rollback that it ended too early.
func (s *session) standing(w io.Writer, status run.Status) string {
	return s.painted(w, status.State) + halfway(status)
}

// halfway is the end of a sentence about a rollback that is ending, or has ended, too early.
func halfway(status run.Status) string {
	early := status.State == run.Cancelling || status.State == run.Cancelled || status.State == run.Failed
	switch {
	case early && backward(status):
		return " in its rollback"
	case early && verifying(status):
		return " in its verification"
	}
	return ""
}

// painted is a state in its colour, where the writer takes it.
func (s *session) painted(w io.Writer, state run.State) string {
	if !s.colour(w) {
		return string(state)
	}
	code := 36 // cyan: it goes on
	switch state {
	case run.Completed:
		code = 32 // green
	case run.Failed:
		code = 31 // red
	case run.Pausing, run.Paused, run.Cancelled, run.Cancelling, run.RolledBack:
		code = 33 // yellow
	default:
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, state)
}
