package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"backfill/internal/run"
)

const (
	// interval is the time between two looks; the governor writes its figures as often.
	interval = time.Second
	// misses is how many looks in a row may fail while a run is watched: the run does not depend on the watcher.
	misses = 10
)

// display shows a run while it goes on.
type display interface {
	show(status run.Status)
	end() // nothing more is shown
}

// follow shows a run until it has ended, and tells how.
func (s *session) follow(ctx context.Context, control Control, id string) error {
	shown := s.display()
	status, answer, err := s.ended(ctx, control, id, shown)
	shown.end()
	if ctx.Err() != nil {
		return &Fault{Exit: exitInterrupted, Message: fmt.Sprintf("stopped watching; run %s goes on", id),
			Next: fmt.Sprintf("%s comes back to it, %s stops it", s.suggest("watch", id), s.suggest("cancel", id))}
	}
	if err != nil {
		return err
	}
	if err := s.print(answer, func(w io.Writer) { s.summary(w, status) }); err != nil {
		return err
	}
	return s.outcome(status)
}

// ended looks again and again until the run has ended.
func (s *session) ended(ctx context.Context, control Control, id string, shown display) (run.Status, json.RawMessage, error) {
	for missed, seen := 0, false; ; {
		status, answer, err := statusOf(ctx, control, id)
		switch {
		case err == nil:
			missed, seen = 0, true
			shown.show(status)
		case !seen || isInvalid(err) || missed == misses:
			return status, answer, err
		default:
			missed++
		}
		if err == nil && status.State.Ended() || !s.Rest(ctx, interval) {
			return status, answer, ctx.Err()
		}
	}
}

// display is a bar on a terminal, and lines elsewhere. With -o json it goes to stderr.
func (s *session) display() display {
	out := s.Out
	if s.format == jsonFormat {
		out = s.Err
	}
	if _, terminal := s.Width(out); terminal && s.Getenv("TERM") != "dumb" {
		return &bar{out: out, width: s.Width, now: s.Now}
	}
	return &lines{out: out, now: s.Now}
}

// outcome is nil for a run that was completed.
func (s *session) outcome(status run.Status) error {
	if status.State == run.Completed {
		return nil
	}
	return &Fault{
		Exit: exitFailed, answered: true,
		Message: fmt.Sprintf("run %s is %s: %s", status.Run, status.State, status.Reason),
		Next:    "what was committed stays; " + s.suggest("status", status.Run) + " has the figures",
	}
}
