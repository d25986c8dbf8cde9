package operator

import (
	"fmt"
	"io"
	"time"

	"backfill/internal/request"
	"backfill/internal/run"
)

// summary tells how a run ended.
func (s *session) summary(w io.Writer, status run.Status) {
	fmt.Fprintf(w, "run %s is %s%s\n", status.Run, s.painted(w, status.State), took(status))
	fmt.Fprintf(w, "  %s; %s\n", effect(status), chunks(status))
}

// effect is what was done to rows.
func effect(status run.Status) string {
	rows := status.Rows
	if backward(status) {
		return progress(status)
	}
	text := fmt.Sprintf("%s read, %s changed", plural(rows.Scanned, "row", "rows"), count(rows.Affected))
	if seconds := lasted(status).Seconds(); seconds > 0 {
		text += fmt.Sprintf(", %s rows/s", count(int64(float64(rows.Scanned)/seconds)))
	}
	if rows.Restored > 0 {
		text += ", " + count(rows.Restored) + " restored"
	}
	return text + conflicts(rows)
}

// took is how long a run lasted, as the end of a sentence.
func took(status run.Status) string {
	if lasted(status) == 0 {
		return ""
	}
	return " after " + span(lasted(status))
}

// lasted is 0 after a rollback, be it of a part: it may have come days after the run.
func lasted(status run.Status) time.Duration {
	if status.EndedAt == nil || status.StartedAt.IsZero() || status.Action == request.Rollback || status.Chunks.RolledBack > 0 {
		return 0
	}
	return status.EndedAt.Sub(status.StartedAt)
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
	case run.Cancelled, run.Cancelling, run.RolledBack:
		code = 33 // yellow
	default:
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, state)
}
