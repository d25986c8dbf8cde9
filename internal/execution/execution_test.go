package execution_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"backfill/internal/execution"
	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// waiting is a machine that runs until it is stopped; ending is one that is over at once.
const (
	waiting = `{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":3600,"End":true}}}`
	ending  = `{"StartAt":"Pass","States":{"Pass":{"Type":"Pass","End":true}}}`
)

// longest is what Step Functions takes as a cause, in characters.
const longest = 32_768

func TestARunningExecutionIsStoppedWithItsCause(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", longest-1)
	for name, c := range map[string]struct{ cause, want string }{
		"a sentence":                       {"cancelled: enough", "cancelled: enough"},
		"no cause":                         {"", ""},
		"the longest":                      {long + "é", long + "é"},
		"too long":                         {long + "éé", long + "é"},
		"too long, every character of two": {strings.Repeat("é", longest+1), strings.Repeat("é", longest)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, waiting)
			must(t, execution.New(b.client).Stop(t.Context(), b.arn, c.cause))
			b.waitFor(t, types.ExecutionStatusAborted)
			stopped := b.aborted(t)
			if got := aws.ToString(stopped.Cause); got != c.want {
				t.Errorf("a cause of %d bytes, want %d; it ends %q", len(got), len(c.want), got[max(0, len(got)-8):])
			}
			if got := aws.ToString(stopped.Error); got != failure.RunCancelled {
				t.Errorf("error %q, want %q", got, failure.RunCancelled)
			}
		})
	}
}

func TestAnExecutionThatHasEndedStaysAsItEnded(t *testing.T) {
	t.Parallel()
	b := setup(t, ending)
	b.waitFor(t, types.ExecutionStatusSucceeded)
	must(t, execution.New(b.client).Stop(t.Context(), b.arn, "late"))
	b.waitFor(t, types.ExecutionStatusSucceeded)
}

func TestAnExecutionIsStoppedTwice(t *testing.T) {
	t.Parallel()
	b := setup(t, waiting)
	must(t, execution.New(b.client).Stop(t.Context(), b.arn, "first"))
	must(t, execution.New(b.client).Stop(t.Context(), b.arn, "second"))
	b.waitFor(t, types.ExecutionStatusAborted)
	if cause := aws.ToString(b.aborted(t).Cause); cause != "first" {
		t.Errorf("cause %q", cause)
	}
}

func TestAnUnknownExecutionIsNoError(t *testing.T) {
	t.Parallel()
	b := setup(t, ending)
	must(t, execution.New(b.client).Stop(t.Context(), b.arn+"-gone", "late"))
}

// TestWhetherAnExecutionRuns: one that has ended does not, nor does one that nobody knows.
func TestWhetherAnExecutionRuns(t *testing.T) {
	t.Parallel()
	expect := func(b *bundle, arn string, want bool) {
		t.Helper()
		running, err := execution.New(b.client).Running(t.Context(), arn)
		must(t, err)
		if running != want {
			t.Errorf("%s runs: %t", arn, running)
		}
	}
	b := setup(t, waiting)
	expect(b, b.arn, true)
	must(t, execution.New(b.client).Stop(t.Context(), b.arn, "enough"))
	b.waitFor(t, types.ExecutionStatusAborted)
	expect(b, b.arn, false)
	expect(b, b.arn+"-gone", false)
}

// TestATaskThatIsOverIsNoError: whoever is woken twice goes on once. That a task is woken at all needs a function that hands
// out its token: internal/e2e does it.
func TestATaskThatIsOverIsNoError(t *testing.T) {
	t.Parallel()
	b := setup(t, waiting)
	must(t, execution.New(b.client).Wake(t.Context(), "not-a-token"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := execution.New(b.client).Wake(ctx, "not-a-token"); !failure.Is(err, failure.Transient) {
		t.Fatal(err)
	}
}

// TestAServiceThatDoesNotAnswerIsTransient: a stop that may not have happened must not count as done.
func TestAServiceThatDoesNotAnswerIsTransient(t *testing.T) {
	t.Parallel()
	b := setup(t, waiting)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := execution.New(b.client).Stop(ctx, b.arn, "")
	if !failure.Is(err, failure.Transient) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), b.arn) {
		t.Fatalf("got %v (%s)", err, failure.Of(err))
	}
	b.waitFor(t, types.ExecutionStatusRunning)
}

// bundle is one execution of a machine of the test's own.
type bundle struct {
	client *sfn.Client
	arn    string
}

func setup(t *testing.T, definition string) *bundle {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("AWS_ENDPOINT_URL is not set: run the tests by `make test`, which starts the local stack")
	}
	loaded, err := config.LoadDefaultConfig(t.Context())
	must(t, err)
	b := &bundle{client: sfn.NewFromConfig(loaded)}
	created, err := b.client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name:       aws.String(fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano())),
		Definition: &definition, RoleArn: aws.String("arn:aws:iam::000000000000:role/test"),
	})
	must(t, err)
	started, err := b.client.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: created.StateMachineArn})
	must(t, err)
	b.arn = *started.ExecutionArn
	t.Cleanup(func() {
		_, _ = b.client.StopExecution(context.Background(), &sfn.StopExecutionInput{ExecutionArn: &b.arn})
		_, err := b.client.DeleteStateMachine(context.Background(), &sfn.DeleteStateMachineInput{StateMachineArn: created.StateMachineArn})
		if err != nil {
			t.Error(err)
		}
	})
	b.waitForAState(t)
	return b
}

// waitForAState waits until the first state is entered: of an execution that is stopped before it, LocalStack's history may never say so.
func (b *bundle) waitForAState(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); len(b.history(t)) < 2; {
		if time.Now().After(deadline) {
			t.Fatal("the execution enters no state")
		}
	}
}

func (b *bundle) history(t *testing.T) []types.HistoryEvent {
	t.Helper()
	history, err := b.client.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &b.arn})
	must(t, err)
	return history.Events
}

// waitFor polls for a status, with a deadline.
func (b *bundle) waitFor(t *testing.T, want types.ExecutionStatus) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		described, err := b.client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &b.arn})
		must(t, err)
		if described.Status == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the execution is %s, want %s", described.Status, want)
		}
	}
}

// aborted reads the event that tells why an execution was stopped. The status may say ABORTED before the history does: it polls.
func (b *bundle) aborted(t *testing.T) *types.ExecutionAbortedEventDetails {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		events := b.history(t)
		last := events[len(events)-1]
		if last.ExecutionAbortedEventDetails != nil {
			return last.ExecutionAbortedEventDetails
		}
		if time.Now().After(deadline) {
			t.Fatalf("the last event is %s", last.Type)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
