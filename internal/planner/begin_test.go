package planner_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/notice"
	"backfill/internal/planner"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
)

func TestAStartPlansTheFirstPagesAndRecordsTheRun(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.begin(t)
	b.expectPlan(t, runtest.ID, 6, 6000, b.Queue.Take())
	b.Expect(t, run.Running, "")
	record := b.Record(t)
	want := run.Status{Run: runtest.ID, Backfill: "increment", Action: "start", State: run.Running, Table: "public.counters", Kind: "set",
		Rows: run.Rows{Estimated: 1050}, StartedAt: record.Status.StartedAt, UpdatedAt: record.Status.UpdatedAt}
	if diff := cmp.Diff(want, record.Status); diff != "" || record.Status.StartedAt.IsZero() || record.Execution != runtest.Execution {
		t.Fatalf("execution %s, started %s: %s", record.Execution, record.Status.StartedAt, diff)
	}
}

func TestAStartThatIsRepeatedIsTheSameRun(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.begin(t)
	sent := b.Queue.Take()
	before := b.Record(t)
	b.begin(t)
	if again := b.Queue.Take(); len(again) > 0 {
		t.Fatalf("sent once more: %+v", again)
	}
	b.expectPlan(t, runtest.ID, 6, 6000, sent)
	if diff := cmp.Diff(before, b.Record(t)); diff != "" {
		t.Fatal(diff)
	}
}

func TestARunWithoutAnIDHasTheExecutionsName(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 6)
	got, err := b.planner.Handle(t.Context(), start(""))
	must(t, err)
	if got.Run != "the-execution" {
		t.Fatalf("%+v", got)
	}
}

func TestAnEmptyTableClosesThePlanWithoutChunks(t *testing.T) {
	t.Parallel()
	b := setup(t, 0, 6)
	b.begin(t)
	b.begin(t)
	b.expectPlan(t, runtest.ID, 0, 0, b.Queue.Take())
	if plan := b.Record(t).Plan; !plan.Closed || plan.Planned != 0 {
		t.Fatalf("%+v", plan)
	}
	b.Expect(t, run.Running, "")
}

// stored counts what a start leaves behind, in both stores and on the queue.
func (b *bundle) stored(t *testing.T) int64 {
	t.Helper()
	found, err := b.Client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.Table})
	must(t, err)
	return int64(found.Count) + b.Number(t, "SELECT count(*) FROM backfill.runs") + int64(len(b.Queue.Take()))
}

func TestARefusedRequestStoresNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	for name, c := range map[string]struct {
		request string
		tells   string
	}{
		"an unknown key":       {`{"action":"start","backfil":"x"}`, "backfil"},
		"another action":       {`{"action":"cancel","definition":"x"}`, "cancel"},
		"an unknown backfill":  {`{"action":"start","backfill":"nobody"}`, "nobody"},
		"an unknown column":    {`{"action":"start","definition":"name: x\ntable: counters\nset: {m: 1}\n"}`, "set.m: public.counters has no such column"},
		"an unknown table":     {`{"action":"start","definition":"name: x\ntable: countesr\nset: {n: 1}\n"}`, "counters"},
		"an unknown parameter": {`{"action":"start","definition":"name: x\ntable: counters\nset: {n: 1}\n","params":{"since":1}}`, "since"},
		"an id with a slash":   {`{"action":"start","definition":"x","run":"a/b"}`, "a/b"},
	} {
		_, err := b.planner.Handle(t.Context(), planner.Call{Step: "begin", Request: json.RawMessage(c.request),
			Execution: runtest.Execution, Name: runtest.ID})
		if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), c.tells) {
			t.Errorf("%s: %v", name, err)
		}
		if n := b.stored(t); n != 0 {
			t.Errorf("%s: %d things were stored or sent", name, n)
		}
	}
}

func TestAnUnknownStepIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, 0, 6)
	if _, err := b.planner.Handle(t.Context(), planner.Call{Step: "beginn"}); !failure.Is(err, failure.Invalid) {
		t.Fatal(err)
	}
}

func TestATableThatAnotherRunHoldsIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.begin(t)
	before := b.stored(t)
	_, err := b.planner.Handle(t.Context(), start("run-2"))
	if !failure.Is(err, failure.Busy) || !strings.Contains(err.Error(), runtest.ID) {
		t.Fatal(err)
	}
	if after := b.stored(t); after != before-6 { // the six messages were taken before
		t.Fatalf("%d things were stored, before %d", after, before)
	}
}

// over is the answer about a run that somebody has cancelled, with what people are told of it.
var over = turn.Turn{Run: runtest.ID, State: run.Cancelled, Reason: "enough", Next: turn.End,
	Notice: notice.Of(run.Status{Run: runtest.ID, Backfill: "increment", Table: "public.counters", State: run.Cancelled, Reason: "enough"})}

// TestASecondExecutionOfARunThatGoesOnIsRefused: the end of either would end the run. Once the run has ended, it
// ends as the run did.
func TestASecondExecutionOfARunThatGoesOnIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.begin(t)
	b.Queue.Take()
	second := start(runtest.ID)
	second.Execution = "arn:another"
	_, err := b.planner.Handle(t.Context(), second)
	if !failure.Is(err, failure.Busy) || !strings.Contains(err.Error(), runtest.Execution) {
		t.Fatal(err)
	}
	b.Expect(t, run.Running, "")
	b.Exec(t, "UPDATE backfill.runs SET state = 'CANCELLED', reason = 'enough', ended_at = now()")
	got, err := b.planner.Handle(t.Context(), second)
	must(t, err)
	if diff := cmp.Diff(over, got); diff != "" {
		t.Fatal(diff)
	}
	if sent := b.Queue.Take(); len(sent) > 0 || b.Record(t).Execution != runtest.Execution {
		t.Fatalf("sent %+v, execution %s", sent, b.Record(t).Execution)
	}
}

// TestALateRepetitionFindsTheRunEnded: the answer of a begin was lost, an operator cancelled the run, and Step Functions
// tries again. What an execution brought to life it brings to life once.
func TestALateRepetitionFindsTheRunEnded(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"resume", "retry", "rollback"} {
		b := setup(t, 1050, 6)
		b.begin(t)
		b.ends(t)
		again := planner.Call{Step: "begin", Request: json.RawMessage(`{"action":"` + action + `","run":"` + runtest.ID + `"}`),
			Execution: runtest.Later, Name: "later"}
		got, err := b.planner.Handle(t.Context(), again)
		must(t, err)
		if got.Next != turn.Beat || got.State.Ended() {
			t.Fatalf("%s: %+v", action, got)
		}
		b.ends(t)
		before := b.Record(t)
		got, err = b.planner.Handle(t.Context(), again)
		must(t, err)
		if diff := cmp.Diff(over, got); diff != "" {
			t.Errorf("%s: %s", action, diff)
		}
		if diff := cmp.Diff(before, b.Record(t)); diff != "" {
			t.Errorf("%s: %s", action, diff)
		}
	}
}

// ends has the run cancelled, in both stores.
func (b *bundle) ends(t *testing.T) {
	t.Helper()
	b.Exec(t, "UPDATE backfill.runs SET state = 'CANCELLED', reason = 'enough', ended_at = now()")
	must(t, b.Records.SetState(t.Context(), runtest.ID, run.Cancelled, "enough"))
}

// TestAStartIsSkippedWhileAnotherRunHoldsTheTable where the definition says so: nothing is begun, and nothing is an error. Once
// the table is free it begins.
func TestAStartIsSkippedWhileAnotherRunHoldsTheTable(t *testing.T) {
	t.Parallel()
	b := setup(t, 300, 64)
	b.begin(t)
	const definition = "name: nightly\ntable: counters\nset: {n: n + 1}\n"
	if _, err := b.planner.Handle(t.Context(), startOf("nightly-1", definition+"overlap: refuse\n")); !failure.Is(err, failure.Busy) {
		t.Fatalf("%v", err)
	}
	asked := startOf("nightly-1", definition+"overlap: skip\n")
	got, err := b.planner.Handle(t.Context(), asked)
	must(t, err)
	if got.Next != turn.Skip || got.Run != "nightly-1" || !strings.Contains(got.Reason, "run "+runtest.ID+" holds table") {
		t.Errorf("%+v", got)
	}
	if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE run = 'nightly-1'"); n != 0 {
		t.Error("there is a run")
	}
	b.Exec(t, "UPDATE backfill.runs SET state = 'CANCELLED', ended_at = now() WHERE run = $1", runtest.ID)
	if got, err = b.planner.Handle(t.Context(), asked); err != nil || got.State != run.Running {
		t.Errorf("%+v %v", got, err)
	}
}
