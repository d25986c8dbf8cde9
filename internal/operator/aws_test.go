package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"
)

// TestWhatAWSAnswersIsNotReachable, with what to do next.
func TestWhatAWSAnswersIsNotReachable(t *testing.T) {
	t.Parallel()
	for code, next := range codes {
		b := setup(t)
		b.connected = fmt.Errorf("find stack backfill in eu-west-1: %w", &smithy.OperationError{
			ServiceID: "CloudFormation", OperationName: "DescribeStacks",
			Err: &smithy.GenericAPIError{Code: code, Message: "the reason"},
		})
		exit := b.run(t, "list")
		want := fmt.Sprintf("backfill: find stack backfill in eu-west-1: %s: the reason\n%s\n", code, next)
		if exit != exitUnreachable || b.err.String() != want {
			t.Errorf("%s: exit code %d: %s", code, exit, &b.err)
		}
	}
}

// unused is an address at which nobody listens.
const unused = "http://127.0.0.1:1"

// TestAnEndpointThatIsNotThere is found by the real client.
func TestAnEndpointThatIsNotThere(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", unused)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	b := setup(t)
	b.Connect = Connect
	code := b.run(t, "list", "--region", "eu-west-1", "-o", "json")
	if code != exitUnreachable || !strings.Contains(b.err.String(), "cannot reach "+unused) || !strings.Contains(b.out.String(), `"exit": 3`) {
		t.Errorf("exit code %d: %s%s", code, &b.out, &b.err)
	}
}

// TestAConfigurationThatIsNotThere says which part.
func TestAConfigurationThatIsNotThere(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for line, want := range map[string]string{
		"list":                     "no AWS region is set",
		"list --region eu-west-1":  "no AWS credentials were found",
		"list --profile elsewhere": `no profile "elsewhere"`,
	} {
		b := setup(t)
		b.Connect = Connect
		if code := b.run(t, strings.Fields(line)...); code != exitUnreachable || !strings.Contains(b.err.String(), want) {
			t.Errorf("%s: exit code %d: %s", line, code, &b.err)
		}
	}
}

// lambdaAPI answers one invocation.
type lambdaAPI struct {
	asked  string
	answer lambda.InvokeOutput
	err    error
}

func (l *lambdaAPI) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	l.asked = *in.FunctionName
	return &l.answer, l.err
}

func TestTheFunctionsErrorsKeepTheirClass(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]Fault{
		`{"errorMessage":"run r: no record","errorType":"Backfill.Invalid"}`: {Exit: exitInvalid, Class: "Backfill.Invalid", Message: "run r: no record"},
		`{"errorMessage":"another run","errorType":"Backfill.Busy"}`:         {Exit: exitFailed, Class: "Backfill.Busy", Message: "another run"},
		`{"errorMessage":"no database","errorType":"Backfill.Transient"}`:    {Exit: exitUnreachable, Class: "Backfill.Transient", Message: "no database"},
		`{"errorMessage":"Task timed out","errorType":"Sandbox.Timedout"}`:   {Exit: exitUnreachable, Message: "function act did not answer: Sandbox.Timedout: Task timed out"},
		`{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}`:   {Exit: exitUnreachable, Message: "function act did not answer: Runtime.ExitError: exit status 1"},
		`not JSON at all`: {Exit: exitUnreachable, Message: "function act did not answer: not JSON at all"},
	} {
		api := &lambdaAPI{answer: lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(payload)}}
		_, err := function{api: api, name: "act", reader: "look"}.Act(t.Context(), named{})
		var fault *Fault
		if !errors.As(err, &fault) || fault.Exit != want.Exit || fault.Class != want.Class || fault.Message != want.Message {
			t.Errorf("%s: %+v", payload, fault)
		}
	}
}

func TestLookGoesByTheAlias(t *testing.T) {
	t.Parallel()
	api := &lambdaAPI{answer: lambda.InvokeOutput{Payload: []byte("{}")}}
	if _, err := (function{api: api, name: "act", reader: "look"}).Look(t.Context(), named{}); err != nil || api.asked != "look" {
		t.Errorf("asked %s, error %v", api.asked, err)
	}
}

// statesAPI is Step Functions with one execution.
type statesAPI struct {
	asked     string
	start     error
	described sfn.DescribeExecutionOutput
	missing   error
	events    []types.HistoryEvent
}

func (s *statesAPI) StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	return &sfn.StartExecutionOutput{StartDate: aws.Time(time.Unix(0, 0))}, s.start
}

func (s *statesAPI) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	s.asked = *in.ExecutionArn
	return &s.described, s.missing
}

func (s *statesAPI) GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	return &sfn.GetExecutionHistoryOutput{Events: s.events}, s.missing
}

const machineARN = "arn:aws:states:eu-west-1:1:stateMachine:backfill-backfill"

func TestTheExecutionOfARun(t *testing.T) {
	t.Parallel()
	failed := aws.String("Backfill.Invalid")
	for name, c := range map[string]struct {
		api  statesAPI
		want Execution
		err  error
	}{
		"runs":      {statesAPI{described: sfn.DescribeExecutionOutput{Status: types.ExecutionStatusRunning, Input: aws.String("{}")}}, Execution{Running: true, Input: "{}"}, nil},
		"succeeded": {statesAPI{described: sfn.DescribeExecutionOutput{Status: types.ExecutionStatusSucceeded}}, Execution{}, nil},
		"failed":    {statesAPI{described: sfn.DescribeExecutionOutput{Status: types.ExecutionStatusFailed, Error: failed, Cause: aws.String("why")}}, Execution{Error: "Backfill.Invalid", Cause: "why"}, nil},
		"stopped":   {statesAPI{described: sfn.DescribeExecutionOutput{Status: types.ExecutionStatusAborted}}, Execution{Error: "execution aborted"}, nil},
		"none":      {statesAPI{missing: &types.ExecutionDoesNotExist{}}, Execution{}, ErrNoExecution},
	} {
		got, err := machine{api: &c.api, arn: machineARN}.Find(t.Context(), "email-1")
		if got != c.want || !errors.Is(err, c.err) || c.api.asked != "arn:aws:states:eu-west-1:1:execution:backfill-backfill:email-1" {
			t.Errorf("%s: %+v, error %v, asked %s", name, got, err, c.api.asked)
		}
	}
	taken := machine{api: &statesAPI{start: &types.ExecutionAlreadyExists{}}, arn: machineARN}
	if err := taken.Start(t.Context(), "email-1", nil); !errors.Is(err, ErrExecutionExists) {
		t.Error(err)
	}
}

// TestRunsThatEndedAreNoRefusals: their end is told by their status.
func TestRunsThatEndedAreNoRefusals(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", failure.RunFailed, failure.RunCancelled} {
		if err := refusal(Execution{Error: name}, "the run", subject{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAccepted: the state that tells it is the one that follows the planner's first answer.
func TestAccepted(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "infra", "statemachine", "backfill.asl.json"))
	if err != nil {
		t.Fatal(err)
	}
	var machines struct {
		States struct{ Begin struct{ Next string } }
	}
	if err := json.Unmarshal(text, &machines); err != nil || machines.States.Begin.Next != taken {
		t.Errorf("after Begin comes %q, error %v", machines.States.Begin.Next, err)
	}
	entered := func(name string) types.HistoryEvent {
		return types.HistoryEvent{StateEnteredEventDetails: &types.StateEnteredEventDetails{Name: &name}}
	}
	for name, c := range map[string]struct {
		api  statesAPI
		want bool
	}{
		"begun":     {statesAPI{events: []types.HistoryEvent{{}, entered("Begin"), {}}}, false},
		"taken":     {statesAPI{events: []types.HistoryEvent{{}, entered("Begin"), {}, entered(taken)}}, true},
		"refused":   {statesAPI{events: []types.HistoryEvent{entered("Begin"), entered("Close")}}, false},
		"not there": {statesAPI{missing: &types.ExecutionDoesNotExist{}}, false},
	} {
		got, err := machine{api: &c.api, arn: machineARN}.Accepted(t.Context(), "email-1-resume")
		if got != c.want || err != nil {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
}

func TestAnExecutionThatPassedOverItsStart(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		`{"run":"a","next":"skip","reason":"run b holds table public.t"}`: "run b holds table public.t",
		`{"run":"a","next":"end","reason":"chunk 3 failed"}`:              "", `{}`: "", ``: "", `[]`: "",
	} {
		if got := skipped(output); got != want {
			t.Errorf("%s: %q, want %q", output, got, want)
		}
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	told := types.HistoryEvent{TaskFailedEventDetails: &types.TaskFailedEventDetails{
		Error: aws.String("Backfill.Transient"), Cause: aws.String(`{"errorType":"Backfill.Transient","errorMessage":"connect: refused"}`)}}
	late := types.HistoryEvent{TaskTimedOutEventDetails: &types.TaskTimedOutEventDetails{Error: aws.String("States.Timeout")}}
	for want, events := range map[string][]types.HistoryEvent{
		"connect: refused": {{}, told, late}, "States.Timeout": {late}, "": {{}},
	} {
		got, err := machine{api: &statesAPI{events: events}, arn: machineARN}.Trouble(t.Context(), "email-1")
		if got != want || err != nil {
			t.Errorf("%q, want %q; error %v", got, want, err)
		}
	}
}
