package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"backfill/internal/failure"
	"backfill/internal/run"
)

const (
	// glance is the time between two looks while somebody waits for the planner.
	glance = 500 * time.Millisecond
	// unseen is how many looks may miss an execution that was started: Step Functions shows it a moment later.
	unseen = 20
	// hesitation is the number of looks after which somebody who waits is told why.
	hesitation = 6
)

// acceptance waits until the planner has accepted the run, and answers its status; or refused it, with all problems.
func (s *session) acceptance(ctx context.Context, stack Stack, subject subject, id string) (run.Status, json.RawMessage, error) {
	trouble := ""
	for looks := 1; ; looks++ {
		execution, err := glimpse(ctx, stack.Executions, id, looks)
		if err != nil {
			return run.Status{}, nil, s.left(ctx, id, err)
		}
		trouble = s.hesitate(ctx, stack.Executions, id, "run "+id, looks, trouble)
		status, answer, err := statusOf(ctx, stack.Control, id)
		if err == nil && began(status) {
			return status, answer, nil
		}
		if fault := refusal(execution, "the run", subject); fault != nil {
			return status, nil, fault
		}
		// Invalid: there is no record of the run yet.
		if err != nil && (!isInvalid(err) || !execution.Running) || !s.Rest(ctx, glance) {
			return status, nil, s.left(ctx, id, err)
		}
	}
}

// glimpse reads an execution that was started, at one of many looks.
func glimpse(ctx context.Context, executions Executions, name string, looks int) (Execution, error) {
	execution, err := executions.Find(ctx, name)
	if errors.Is(err, ErrNoExecution) && looks < unseen {
		return Execution{Running: true}, nil
	}
	return execution, err
}

// hesitate tells at some of the looks why what was asked for has not begun yet, where that is news, and now and then that
// it still has not. It gives what it knows of the trouble.
func (s *session) hesitate(ctx context.Context, executions Executions, name, what string, looks int, before string) string {
	if looks%hesitation != 0 {
		return before
	}
	trouble, err := executions.Trouble(ctx, name)
	if err != nil || trouble == "" { // who may not read the history is told less
		trouble = before
	}
	waited := time.Duration(looks) * glance
	switch {
	case trouble != before:
		fmt.Fprintf(s.Err, "%s has not begun yet, it is tried again: %s\n", what, printable(trouble))
	case waited%patient == 0 && trouble == "":
		fmt.Fprintf(s.Err, "%s has not begun for %s: the planner has not answered\n", what, span(waited))
	case waited%patient == 0:
		fmt.Fprintf(s.Err, "%s has not begun for %s: %s\n", what, span(waited), printable(trouble))
	}
	return trouble
}

// refusal is why an execution ended before what was asked for began; nil where it did not.
func refusal(execution Execution, what string, subject subject) *Fault {
	if execution.Skipped != "" {
		return &Fault{Exit: exitFailed, Class: string(failure.Busy), unbegun: true,
			Message: what + " was skipped, as its definition says (overlap: skip): " + execution.Skipped}
	}
	switch execution.Error {
	case "", failure.RunFailed, failure.RunCancelled:
		return nil
	}
	fault := classed(caught(execution.Error, execution.Cause))
	fault.unbegun = true
	subject.locate(fault)
	switch failure.Class(fault.Class) {
	case failure.Invalid, failure.Busy:
		fault.Message = what + " was refused: " + fault.Message
	default: // Step Functions was reached, so it is the run that failed
		fault.Exit, fault.Message = exitFailed, what+" failed before it began: "+fault.Message
	}
	return fault
}

func isInvalid(err error) bool {
	var fault *Fault
	return errors.As(err, &fault) && fault.Class == string(failure.Invalid)
}

// left is the end of waiting while the execution goes on.
func (s *session) left(ctx context.Context, id string, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return &Fault{Exit: exitInterrupted, Message: fmt.Sprintf("stopped waiting; run %s goes on by itself", id),
		Next: "the same start with --run " + id + " comes back to it"}
}

// begun tells what was started and what can be typed next.
func (s *session) begun(w io.Writer, status run.Status) {
	fmt.Fprintf(w, "run %s has begun: %s%s\n", status.Run, printable(tableOf(status)), estimate(status.Rows.Estimated))
	offer(w, step{s.suggest("watch", status.Run), "follow it"},
		step{s.suggest("cancel", status.Run), "stop it; what was committed stays"})
}
