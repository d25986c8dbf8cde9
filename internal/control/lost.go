package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/closing"
	"backfill/internal/failure"
	"backfill/internal/gauge"
	"backfill/internal/notice"
	"backfill/internal/request"
	"backfill/internal/run"
)

// executionEvent is the detail-type of EventBridge's event.
const executionEvent = "Step Functions Execution Status Change"

// Closing is the input of close: an execution that caught an error, as the state machine describes it.
type Closing struct {
	Action    string          `json:"action"`
	Request   json.RawMessage `json:"request"` // the execution's input, whatever it was
	Execution string          `json:"execution"`
	Name      string          `json:"name"`
	Failure   Caught          `json:"failure"`
}

// Caught is what Step Functions says of an error.
type Caught struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// identify finds the run of an execution: the input names it, else the execution's name is its id.
func identify(input []byte, name string) closing.Execution {
	var asked struct {
		Action   string `json:"action"`
		Run      string `json:"run"`
		Backfill string `json:"backfill"`
	}
	_ = json.Unmarshal(input, &asked) // an input that is no request names no run
	if asked.Run == "" {
		asked.Run = name
	}
	return closing.Execution{Run: asked.Run, Backfill: asked.Backfill,
		Reopens: slices.Contains([]string{request.Resume, request.Retry, request.Rollback, request.Verify}, asked.Action)}
}

// dryly tells whether an execution was to show what a run would do: it has none, and leaves nothing behind. Its end is not
// that of a run of the same name.
func dryly(input []byte) bool {
	var asked struct {
		Dry bool `json:"dry_run"`
	}
	return json.Unmarshal(input, &asked) == nil && asked.Dry
}

// undone is the answer about the end of a dry run.
func undone(reason string) Ending {
	return Ending{Reason: reason, Notice: "A dry run came to no end, and has changed nothing: " + reason}
}

// Ending is the answer: how the run stands.
type Ending struct {
	Run    string    `json:"run"`
	State  run.State `json:"state"` // "": there is no such run
	Reason string    `json:"reason"`
	Notice string    `json:"notice"` // what people are told
}

// said puts it in words. A run that did not end is one that the execution did not get: a resume or a rollback that
// was refused; or its verification was not finished.
func said(id, backfill string, state run.State, reason string) string {
	switch state {
	case "":
		return fmt.Sprintf("There is no run %s in this database: %s", id, reason)
	case run.Failed, run.Cancelled:
		return notice.Of(run.Status{Run: id, Backfill: backfill, State: state, Reason: reason})
	default:
	}
	return fmt.Sprintf("Run %s is %s as before; what was asked of it was refused, or has failed.\nReason: %s\nNext: `backfill status %s`", id, state, reason, id)
}

// close ends the run whose state machine caught an error.
func (c *Control) close(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Closing
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	found := identify(asked.Request, asked.Name)
	if found.Run == "" {
		return nil, failure.New(failure.Invalid, `"name" is missing: the name of the execution`)
	}
	found.ARN, found.As, found.Reason = asked.Execution, run.Failed, message(asked.Failure.Error, asked.Failure.Cause)
	if dryly(asked.Request) {
		return undone(found.Reason), nil
	}
	return c.lost(ctx, found)
}

func (c *Control) lost(ctx context.Context, execution closing.Execution) (any, error) {
	before, looking := c.Records.Status(ctx, execution.Run)
	state, err := c.Closer.Lost(ctx, execution)
	id, reason := execution.Run, execution.Reason
	backfill := cmp.Or(execution.Backfill, before.Backfill)
	if err == nil && (looking != nil || !before.State.Ended()) {
		c.gauge(id, backfill, state)
	}
	return Ending{Run: id, State: state, Reason: reason, Notice: said(id, backfill, state, reason)}, err
}

// gauge tells how a run ended that its governor did not end.
func (c *Control) gauge(id, backfill string, state run.State) {
	of, told := map[run.State]gauge.Gauge{run.Failed: gauge.RunsFailed, run.Cancelled: gauge.RunsCancelled}[state]
	if told {
		c.Gauges.Write(gauge.Subject{Run: id, Backfill: backfill}, gauge.Figures{of: gauge.Whole(1)})
	}
}

// executionEnded ends the run of an execution that was stopped, failed or timed out. "Stop" in the console runs no
// Catch, and may leave the child execution running.
func (c *Control) executionEnded(ctx context.Context, input json.RawMessage) (any, error) {
	var event struct {
		Detail struct {
			Execution string `json:"executionArn"`
			Name      string `json:"name"`
			Status    string `json:"status"`
			Input     string `json:"input"`
			Error     string `json:"error"`
			Cause     string `json:"cause"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(input, &event); err != nil {
		return nil, failure.New(failure.Invalid, "read the event: %w", err)
	}
	found := identify([]byte(event.Detail.Input), event.Detail.Name)
	found.ARN, found.As = event.Detail.Execution, run.Failed
	what := "execution " + strings.ReplaceAll(strings.ToLower(event.Detail.Status), "_", " ")
	if event.Detail.Status == "ABORTED" {
		found.As, what = run.Cancelled, "the execution was stopped"
	}
	found.Reason = message(what, message(event.Detail.Error, event.Detail.Cause))
	if dryly([]byte(event.Detail.Input)) {
		return undone(found.Reason), nil
	}
	if err := c.stopSegment(ctx, found.Run, found.ARN, found.Reason); err != nil {
		return nil, err
	}
	return c.lost(ctx, found)
}

// stopSegment ends the child execution, so that nobody beats for a run that is closed.
func (c *Control) stopSegment(ctx context.Context, id, execution, reason string) error {
	segment, err := c.Records.Segment(ctx, id, execution)
	if err != nil || segment == "" {
		return err
	}
	if err := c.Executions.Stop(ctx, segment, reason); err != nil {
		return fmt.Errorf("stop segment %s of run %s: %w", segment, id, err)
	}
	return nil
}

// message turns error and cause into one line. A cause that Lambda reports is JSON around the message; that of an
// execution whose run control could not close is JSON around what the state machine had caught.
func message(name, cause string) string {
	var caught Caught
	if json.Unmarshal([]byte(cause), &caught) == nil && caught.Error != "" {
		cause = message(caught.Error, caught.Cause)
	}
	var reported struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &reported) == nil && reported.Message != "" {
		cause = reported.Message
	}
	cause = strings.TrimSpace(cause)
	switch {
	case cause == "":
		return name
	case name == "" || strings.HasPrefix(name, "Backfill."):
		return cause
	}
	return name + ": " + cause
}
