package control_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// event is EventBridge's, of an execution that began the run of its name; "" is null.
func event(status, execution, name, class, cause string) string {
	null := func(s string) string {
		if s == "" {
			return "null"
		}
		return text(s)
	}
	return fmt.Sprintf(`{"version":"0","detail-type":"Step Functions Execution Status Change","source":"aws.states","detail":{
		"executionArn":%q,"name":%q,"status":%q,"input":"{\"action\":\"start\",\"backfill\":\"users\"}","inputDetails":{"included":true},
		"output":null,"error":%s,"cause":%s}}`, execution, name, status, null(class), null(cause))
}

func TestAnExecutionThatEndedBadlyEndsItsRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, class, cause string
		state                run.State
		reason               string
	}{
		"stopped in the console":      {"ABORTED", "", "", run.Cancelled, "the execution was stopped"},
		"stopped with words":          {"ABORTED", "Enough", "too slow", run.Cancelled, "the execution was stopped: Enough: too slow"},
		"failed outside of any Catch": {"FAILED", "States.Runtime", "no such path", run.Failed, "execution failed: States.Runtime: no such path"},
		"failed, and control was not to be reached": {"FAILED", "Backfill.Permanent",
			`{"Error":"Backfill.Permanent","Cause":"{\"errorMessage\":\"plan run run-1: SQLSTATE 42703\",\"errorType\":\"Backfill.Permanent\"}"}`,
			run.Failed, "execution failed: plan run run-1: SQLSTATE 42703"},
		"timed out": {"TIMED_OUT", "", "", run.Failed, "execution timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			got := withoutNotice(t, b.answer(t, event(c.status, runtest.Execution, "run-1", c.class, c.cause)))
			if want := ending("run-1", c.state, c.reason); got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
			b.Expect(t, c.state, c.reason)
		})
	}
}

// TestTheSegmentIsStoppedWithItsExecution: else somebody beats for a run that is closed. An event comes at least
// once, and a segment may be stopped twice.
func TestTheSegmentIsStoppedWithItsExecution(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	input := event("ABORTED", runtest.Execution, "run-1", "", "")
	if _, err := b.ask(t, "", input); !failure.Is(err, failure.Transient) {
		t.Fatal(err) // EventBridge tries again while a worker finishes its batch
	}
	b.Die(t)
	b.answer(t, input)
	b.answer(t, input)
	b.Expect(t, run.Cancelled, "the execution was stopped")
	for _, asked := range b.stops.asked {
		if aws.ToString(asked.ExecutionArn) != segment || aws.ToString(asked.Error) != failure.RunCancelled ||
			aws.ToString(asked.Cause) != "the execution was stopped" {
			t.Errorf("%s was stopped: %s, %s", aws.ToString(asked.ExecutionArn), aws.ToString(asked.Error), aws.ToString(asked.Cause))
		}
	}
	if len(b.stops.asked) != 3 {
		t.Fatalf("%d stops", len(b.stops.asked))
	}
}

// TestTheEndOfAnotherExecutionChangesNothing: it was started under the name of a run that goes on, and was refused.
func TestTheEndOfAnotherExecutionChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.Record(t)
	for _, status := range []string{"FAILED", "ABORTED", "TIMED_OUT"} {
		if got := b.answer(t, event(status, "arn:another", "run-1", "Backfill.Busy", "no")); !strings.Contains(got, "Run run-1 is RUNNING as before; what was asked of it was refused") {
			t.Fatal(got)
		}
	}
	b.Expect(t, run.Running, "")
	if diff := cmp.Diff(before, b.Record(t)); diff != "" || len(b.stops.asked) > 0 {
		t.Fatalf("stopped %v: %s", b.stops.asked, diff)
	}
}

// TestAnExecutionThatNeverBeganARunIsRecorded, so that a list shows it.
func TestAnExecutionThatNeverBeganARunIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := withoutNotice(t, b.answer(t, event("TIMED_OUT", "arn:2", "run-2", "", ""))); got != ending("run-2", run.Failed, "execution timed out") {
		t.Fatal(got)
	}
	status, err := b.Records.Status(t.Context(), "run-2")
	must(t, err)
	if status.State != run.Failed || status.Reason != "execution timed out" || status.Backfill != "users" || len(b.stops.asked) > 0 {
		t.Fatalf("%+v, stopped %v", status, b.stops.asked)
	}
}

// TestAnEventWithoutInputIsOfTheExecutionsName: EventBridge leaves out an input that is too large.
func TestAnEventWithoutInputIsOfTheExecutionsName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, fmt.Sprintf(`{"detail-type":"Step Functions Execution Status Change","detail":{"executionArn":%q,"name":"run-1",
		"status":"ABORTED","input":null,"inputDetails":{"included":false},"error":null,"cause":null}}`, runtest.Execution))
	b.Expect(t, run.Cancelled, "the execution was stopped")
}

func TestAnEventThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.refused(t, "", `{"detail-type":"Step Functions Execution Status Change","detail":"run-1"}`)
}
