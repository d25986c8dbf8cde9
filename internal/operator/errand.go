package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"backfill/internal/failure"
	"backfill/internal/request"
	"backfill/internal/run"
)

// errand is an execution for a run that is there already: a resume, a retry, a rollback, or a verification.
type errand struct {
	request request.Request
	name    string // of the execution
}

// longestName is what Step Functions takes as an execution's name.
const longestName = 80

// newErrand names an execution after its run, what it does and when it was started. A long id is cut, not the time.
func newErrand(asked request.Request, now time.Time) errand {
	end := "-" + asked.Action + "-" + now.UTC().Format("20060102-150405")
	return errand{request: asked, name: asked.Run[:min(len(asked.Run), longestName-len(end))] + end}
}

// what names the errand in messages.
func (e errand) what() string {
	if e.request.Action == request.Verify {
		return "the verification"
	}
	return "the " + e.request.Action
}

// send starts the execution, follows it until it is accepted or refused, and to its end if somebody waits.
func (s *session) send(ctx context.Context, asked request.Request, wait bool) error {
	input, err := written(asked, "")
	if err != nil {
		return err
	}
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	before, _, err := statusOf(ctx, stack.Control, asked.Run)
	if err != nil {
		return s.unrecorded(err, asked.Run)
	}
	if !began(before) {
		return unbegun(before, exitInvalid)
	}
	if asked.Action == request.Resume && before.State.Pauses() {
		lost, err := s.unpause(ctx, stack, "resume", asked.Run, wait)
		if err != nil || !lost {
			return err
		}
	}
	if asked.Action == request.Rollback && unapproved(before) {
		if err := s.endCanary(ctx, stack, asked.Run); err != nil {
			return err
		}
	}
	return s.carryOut(ctx, stack, asked, input, wait)
}

// carryOut starts the execution of an errand, and follows it.
func (s *session) carryOut(ctx context.Context, stack Stack, asked request.Request, input []byte, wait bool) error {
	sent := newErrand(asked, s.Now())
	if err := s.launch(ctx, stack.Executions, sent, input); err != nil {
		return err
	}
	if err := s.accepted(ctx, stack.Executions, sent); err != nil {
		return err
	}
	status, answer, err := statusOf(ctx, stack.Control, asked.Run)
	if err != nil {
		return err
	}
	if wait || status.State.Ended() {
		return s.follow(ctx, asked.Run, s.untilDone(stack, sent))
	}
	return s.print(answer, func(w io.Writer) { s.underWay(w, sent, status) })
}

// written is the input of an execution; name is the run's id where the request gives none. It is checked as the planner
// checks it.
func written(asked request.Request, name string) ([]byte, error) {
	input, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("write the input of the execution: %w", err)
	}
	if _, err := request.Parse(input, name); err != nil {
		return nil, classed(string(failure.Of(err)), err.Error())
	}
	return input, nil
}

// unrecorded says what to do where no record of the run is found. Nothing is started then: there may be no such run.
func (s *session) unrecorded(err error, id string) error {
	if !isInvalid(err) {
		return err
	}
	fault := asFault(context.Background(), err)
	fault.Next = fmt.Sprintf("%s shows the runs; %s makes a lost record anew", s.suggest("list"), s.suggest("rebuild", id))
	return fault
}

func (s *session) launch(ctx context.Context, executions Executions, sent errand, input []byte) error {
	err := executions.Start(ctx, sent.name, input)
	if errors.Is(err, ErrExecutionExists) {
		return &Fault{Exit: exitFailed, Message: fmt.Sprintf("execution %s was started just now, by somebody else", sent.name),
			Next: s.suggest("status", sent.request.Run) + " shows how the run stands; try again"}
	}
	return err
}

// underWay tells what was begun and what can be typed next.
func (s *session) underWay(w io.Writer, sent errand, status run.Status) {
	what := "run " + status.Run
	if backward(status) {
		what = "the rollback of run " + status.Run
	} else if verifying(status) {
		what = "the verification of run " + status.Run
	}
	how := "goes on"
	if sent.request.Action == request.Rollback || sent.request.Action == request.Verify {
		how = "has begun"
	}
	fmt.Fprintf(w, "%s %s: it is %s on %s\n", what, how, s.painted(w, status.State), printable(tableOf(status)))
	offer(w, step{s.suggest("watch", status.Run), "follow it"}, step{s.suggest("cancel", status.Run), "stop it; " + stays(status)})
}
