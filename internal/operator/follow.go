package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"backfill/internal/run"
)

const (
	// interval is the time between two looks at first; the governor writes its figures every other second.
	interval = time.Second
	// lasting is how long a run has been watched that is looked at less often: then looks make one call to AWS a second.
	lasting = time.Minute
	// misses is how many looks in a row may fail while a run is watched: the run does not depend on the watcher.
	misses = 10
)

// display shows a run while it goes on.
type display interface {
	show(status run.Status)
	end() // nothing more is shown
}

// view is what one look at a run has found.
type view struct {
	status run.Status
	answer json.RawMessage
	over   bool  // there is nothing to wait for any more
	fault  error // of an end that is not the one that was asked for
	calls  int   // that the look has made to AWS
}

// asks is how many calls a status takes: the function's invocation, and the record that it reads.
const asks = 2

// looking looks once.
type looking func(ctx context.Context) (view, error)

// untilEnded looks at a run until it has ended, which should be in one of the states, or goes on only when somebody has decided.
func (s *session) untilEnded(control Control, id string, good ...run.State) looking {
	return func(ctx context.Context) (view, error) {
		status, answer, err := statusOf(ctx, control, id)
		seen := view{calls: asks, status: status, answer: answer, over: err == nil && (status.State.Ended() || undecided(status))}
		if seen.over && !slices.Contains(good, status.State) && !passed(status) {
			seen.fault = s.ill(status)
		}
		return seen, err
	}
}

// undecided tells whether the run has paused itself until somebody decides. What a person or a window has paused goes on without the watcher.
func undecided(status run.Status) bool {
	return status.State == run.Paused && status.Pause != nil && (status.Pause.For == run.ForCanary || status.Pause.For == run.ForFailure)
}

// follow shows a run until there is nothing to wait for, and tells how it ended: a bar on a terminal, and lines elsewhere.
func (s *session) follow(ctx context.Context, id string, look looking) error {
	return s.followOn(ctx, id, look, s.display(func(out io.Writer) display { return &bar{out: out, width: s.Width, now: s.Now} }))
}

// watch is follow with the whole status on a terminal.
func (s *session) watch(ctx context.Context, id string, look looking) error {
	return s.followOn(ctx, id, look, s.display(func(out io.Writer) display { return &redraw{session: s, out: out} }))
}

func (s *session) followOn(ctx context.Context, id string, look looking, shown display) error {
	last, err := s.last(ctx, look, shown)
	shown.end()
	if ctx.Err() != nil {
		return &Fault{Exit: exitInterrupted, Message: fmt.Sprintf("stopped watching; run %s goes on", id),
			Next: fmt.Sprintf("%s comes back to it, %s stops it", s.suggest("watch", id), s.suggest("cancel", id))}
	}
	if err != nil {
		return err
	}
	err = s.print(last.answer, func(w io.Writer) {
		s.summary(w, last.status)
		if last.fault == nil { // a fault has the steps itself
			offer(w, s.steps(last.status)...)
		}
	})
	if err != nil {
		return err
	}
	return last.fault
}

// last looks again and again until there is nothing to wait for.
func (s *session) last(ctx context.Context, look looking, shown display) (view, error) {
	begun := s.Now()
	for missed, seen := 0, false; ; {
		found, err := look(ctx)
		switch {
		case err == nil:
			missed, seen = 0, true
			shown.show(found.status)
		case !seen || isInvalid(err) || missed == misses:
			return found, err
		default:
			missed++
		}
		if err == nil && found.over || !s.Rest(ctx, found.pause(s.Now().Sub(begun))) {
			return found, ctx.Err()
		}
	}
}

// pause is the time to the next look, after the run has been watched for so long.
func (v view) pause(watched time.Duration) time.Duration {
	if watched < lasting {
		return interval
	}
	return max(interval, time.Duration(v.calls)*time.Second)
}

// display is that of a terminal, or lines elsewhere. With -o json it goes to stderr.
func (s *session) display(onTerminal func(out io.Writer) display) display {
	out := s.Out
	if s.format == jsonFormat {
		out = s.Err
	}
	if _, terminal := s.Width(out); terminal && s.Getenv("TERM") != "dumb" {
		return onTerminal(out)
	}
	return &lines{out: out, now: s.Now}
}

// ill is the fault of a run that did not end well.
func (s *session) ill(status run.Status) error {
	if !began(status) {
		fault := unbegun(status, exitFailed)
		fault.answered = true
		return fault
	}
	return &Fault{
		Exit: exitFailed, answered: true, Next: s.advice(status),
		Message: fmt.Sprintf("run %s is %s%s: %s", status.Run, status.State, halfway(status), status.Reason),
	}
}
