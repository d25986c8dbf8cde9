package operator

import (
	"context"
	"fmt"

	"backfill/internal/run"
)

// accepted waits until the planner has taken the errand on. The run's state does not tell: it may have been the same
// before.
func (s *session) accepted(ctx context.Context, executions Executions, sent errand) error {
	trouble := ""
	for looks := 1; ; looks++ {
		execution, err := glimpse(ctx, executions, sent.name, looks)
		if err != nil {
			return s.leftErrand(ctx, sent, err)
		}
		accepted, err := executions.Accepted(ctx, sent.name) // asked last: an execution that has ended is judged by all that it did
		if accepted || err != nil {
			return s.leftErrand(ctx, sent, err)
		}
		if fault := refusal(execution, sent.what(), subject{}); fault != nil {
			if fault.Next == "" {
				fault.Next = s.suggest("status", sent.request.Run) + " shows how the run stands"
			}
			return fault
		}
		trouble = s.hesitate(ctx, executions, sent.name, sent.what(), looks, trouble)
		if !s.Rest(ctx, glance) {
			return s.leftErrand(ctx, sent, ctx.Err())
		}
	}
}

// leftErrand is the end of waiting while the execution goes on.
func (s *session) leftErrand(ctx context.Context, sent errand, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &Fault{Exit: exitInterrupted, Message: fmt.Sprintf("stopped waiting; %s of run %s goes on by itself", sent.what(), sent.request.Run),
		Next: s.suggest("watch", sent.request.Run) + " follows it"}
}

// untilDone looks at a run until the execution has ended. A rollback of a part leaves the run in the state that it had
// before: the execution alone tells that it is over, and whether it went well.
func (s *session) untilDone(stack Stack, sent errand) looking {
	return func(ctx context.Context) (view, error) {
		execution, err := stack.Executions.Find(ctx, sent.name)
		if err != nil {
			return view{}, err
		}
		status, answer, err := statusOf(ctx, stack.Control, sent.request.Run)
		seen := view{calls: asks + 1, status: status, answer: answer, over: !execution.Running}
		if err == nil && seen.over && execution.Error != "" {
			seen.fault = s.undone(sent, execution, status)
		}
		return seen, err
	}
}

// undone is the fault of an execution that failed. An execution that was stopped may be over before its run is.
func (s *session) undone(sent errand, execution Execution, status run.Status) error {
	if status.State == run.Failed || status.State == run.Cancelled {
		return s.ill(status)
	}
	return &Fault{Exit: exitFailed, answered: true, Next: s.advice(status),
		Message: fmt.Sprintf("%s of run %s has failed: %s", sent.what(), status.Run, message(execution.Error, execution.Cause))}
}
