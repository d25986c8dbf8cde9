package control_test

import (
	"context"
	"encoding/json"
	"testing"

	"backfill/internal/checkup"
	"backfill/internal/closing"
	"backfill/internal/control"
	"backfill/internal/execution"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pausing"
	"backfill/internal/rebuild"
	"backfill/internal/registry"
	"backfill/internal/rehearsal"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

const segment = "arn:aws:states:us-east-1:123456789012:execution:backfill-segment:1"

// bundle is a run of three chunks, and control over it.
type bundle struct {
	*runtest.Bench
	control *control.Control
	stops   *stops
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupOn(t, runtest.New(t))
}

func setupOn(t *testing.T, bench *runtest.Bench) *bundle {
	t.Helper()
	b := &bundle{Bench: bench, stops: &stops{}}
	b.Begin(t, 3)
	b.Plan(t, 3)
	must(t, b.Records.SetSegment(t.Context(), runtest.ID, segment))
	b.control = controlOver(b.Bench, b.stops)
	return b
}

func controlOver(b *runtest.Bench, stops *stops) *control.Control {
	known := registry.Registry{Store: b.Records}
	reviewer := review.Reviewer{Session: b.Session, Registry: known, Inline: true}
	return &control.Control{
		Ledger: b.Ledger, Records: b.Records, Closer: closing.New(b.Ledger, b.Records),
		Pauser:    pausing.New(b.Ledger, b.Records),
		Rebuilder: rebuild.Rebuilder{Session: b.Session, Ledger: b.Ledger, Records: b.Records},
		Reviewer:  reviewer, Registry: known,
		Rehearser:  rehearsal.Rehearser{Session: b.Session, Ledger: b.Ledger, Reviewer: reviewer},
		Examiner:   checkup.Examiner{Session: b.Session, Records: b.Records, Schema: ledger.Version, Workers: 4},
		Executions: execution.New(stops), Workers: 4,
	}
}

// stops remembers what was stopped, and which tasks were woken. It stands in for Step Functions.
type stops struct {
	asked []sfn.StopExecutionInput
	woken []string
	fails error // of a wake
	dead  bool  // no execution runs
	dumb  error // of a look
}

func (s *stops) DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	if s.dead {
		return &sfn.DescribeExecutionOutput{Status: types.ExecutionStatusAborted}, s.dumb
	}
	return &sfn.DescribeExecutionOutput{Status: types.ExecutionStatusRunning}, s.dumb
}

func (s *stops) SendTaskSuccess(_ context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error) {
	if s.fails != nil {
		return nil, s.fails
	}
	s.woken = append(s.woken, *in.TaskToken)
	return &sfn.SendTaskSuccessOutput{}, nil
}

func (s *stops) StopExecution(_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	s.asked = append(s.asked, *in)
	return &sfn.StopExecutionOutput{}, nil
}

// ask invokes control under an alias and gives its answer as JSON.
func (b *bundle) ask(t *testing.T, alias string, input any) (string, error) {
	t.Helper()
	text, isText := input.(string)
	if !isText {
		encoded, err := json.Marshal(input)
		must(t, err)
		text = string(encoded)
	}
	answer, err := b.control.Handle(t.Context(), alias, json.RawMessage(text))
	if err != nil {
		return "", err
	}
	encoded, err := json.Marshal(answer)
	must(t, err)
	return string(encoded), nil
}

// answer demands that there is one.
func (b *bundle) answer(t *testing.T, input any) string {
	t.Helper()
	answer, err := b.ask(t, "", input)
	must(t, err)
	return answer
}

// refused demands that an input is refused as Invalid, and tells why.
func (b *bundle) refused(t *testing.T, alias string, input any) string {
	t.Helper()
	answer, err := b.ask(t, alias, input)
	if !failure.Is(err, failure.Invalid) {
		t.Fatalf("%v is answered: %s, %v", input, answer, err)
	}
	return err.Error()
}

// expectStatus demands that an answer is the status of the run, in that state.
func (b *bundle) expectStatus(t *testing.T, answer string, state run.State, reason string) {
	t.Helper()
	var got run.Status
	must(t, json.Unmarshal([]byte(answer), &got))
	want := b.Record(t).Status
	if diff := cmp.Diff(want, got); diff != "" || got.State != state || got.Reason != reason {
		t.Fatalf("%s (%s), want %s (%s): %s", got.State, got.Reason, state, reason, diff)
	}
	b.Expect(t, state, reason)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
