package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/control"
	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// ending is the answer to close and to an event, without its notice.
func ending(id string, state run.State, reason string) string {
	return fmt.Sprintf(`{"run":%q,"state":%q,"reason":%s}`, id, state, text(reason))
}

// withoutNotice takes the notice off an answer. It has to name the run, the state, the reason and a command.
func withoutNotice(t *testing.T, answer string) string {
	t.Helper()
	var got control.Ending
	must(t, json.Unmarshal([]byte(answer), &got))
	for _, want := range []string{"Run " + got.Run + " ", string(got.State), "\nReason: " + got.Reason + "\n", "\nNext: ", "`backfill ", " " + got.Run + "`"} {
		if !strings.Contains(got.Notice, want) {
			t.Errorf("%q is not in the notice %q", want, got.Notice)
		}
	}
	return ending(got.Run, got.State, got.Reason)
}

// text encodes as encoding/json does.
func text(s string) string {
	encoded, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// caught is what the state machine sends when it has caught an error.
func caught(request, class, cause string) string {
	return fmt.Sprintf(`{"action":"close","request":%s,"execution":%q,"name":"run-1","failure":{"Error":%q,"Cause":%s}}`,
		request, runtest.Execution, class, text(cause))
}

// TestARunThatIsClosedIsCountedOnce, though Step Functions tells of it twice: the state that closes it, and the event of the execution's end.
func TestARunThatIsClosedIsCountedOnce(t *testing.T) {
	t.Parallel()
	b, gauges := setup(t), runtest.NewGauges()
	b.control.Gauges = gauges.Writer
	for range 2 {
		b.answer(t, caught(`{"action":"start","backfill":"users"}`, "Backfill.Permanent", "column gone"))
	}
	gauges.Expect(t, map[string]any{"RunsFailed": 1.0, "run": runtest.ID, "Backfill": "users"})
}

func TestACloseTellsTheCauseInWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ class, cause, reason string }{
		"a class of ours, by Lambda": {"Backfill.Permanent",
			`{"errorMessage":"plan run run-1: SQLSTATE 42703","errorType":"Backfill.Permanent"}`, "plan run run-1: SQLSTATE 42703"},
		"a function that died": {"Runtime.ExitError",
			`{"errorMessage":"RequestId: 1 Error: Runtime exited","errorType":"Runtime.ExitError"}`,
			"Runtime.ExitError: RequestId: 1 Error: Runtime exited"},
		"a timeout without cause":     {"States.Timeout", "", "States.Timeout"},
		"a cause that is plain":       {"States.TaskFailed", " the segment was lost \n", "States.TaskFailed: the segment was lost"},
		"JSON that is not Lambda's":   {"States.Runtime", `{"at":"AfterSegment"}`, `States.Runtime: {"at":"AfterSegment"}`},
		"a class of ours, cause only": {"Backfill.Busy", "run r holds table t", "run r holds table t"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			got := withoutNotice(t, b.answer(t, caught(`{"action":"start","backfill":"users"}`, c.class, c.cause)))
			if want := ending("run-1", run.Failed, c.reason); got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
			b.Expect(t, run.Failed, c.reason)
		})
	}
}

// TestACloseIsTriedAgainWhileWorkersFinish: the state machine does, for an error that passes.
func TestACloseIsTriedAgainWhileWorkersFinish(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	input := caught(`{}`, "States.Timeout", "")
	if _, err := b.ask(t, "", input); !failure.Is(err, failure.Transient) {
		t.Fatal(err)
	}
	b.Expect(t, run.Cancelling, "States.Timeout")
	b.Die(t)
	if got := withoutNotice(t, b.answer(t, input)); got != ending("run-1", run.Failed, "States.Timeout") {
		t.Fatal(got)
	}
	b.Expect(t, run.Failed, "States.Timeout")
}

// TestACloseFindsTheRunByItsRequest, else by the name of the execution, whatever was typed into the console.
func TestACloseFindsTheRunByItsRequest(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		`{"action":"start","backfill":"users","run":"refused-1"}`: "refused-1",
		`{"action":"start","backfill":"users"}`:                   "run-1",
		`{"run":7}`:                                               "run-1",
		`"hello"`:                                                 "run-1",
		`null`:                                                    "run-1",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if got := withoutNotice(t, b.answer(t, caught(request, "Backfill.Invalid", "no"))); got != ending(want, run.Failed, "no") {
				t.Fatalf("%s: %s", request, got)
			}
			status, err := b.Records.Status(t.Context(), want)
			must(t, err)
			if status.State != run.Failed || status.Reason != "no" || status.Backfill != "users" {
				t.Fatalf("%+v", status)
			}
		})
	}
}

// TestARefusedErrandIsNoRun: a resume or rollback from the console, of a run that does not exist, or of none.
func TestARefusedErrandIsNoRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for request, id := range map[string]string{
		`{"action":"resume","run":"nobody"}`:                  "nobody",
		`{"action":"rollback","run":"nobody","chunks":"1-3"}`: "nobody",
		`{"action":"resume"}`:                                 "console-1",
	} {
		closed := strings.Replace(caught(request, "Backfill.Invalid", "no such run"), `"name":"run-1"`, `"name":"console-1"`, 1)
		ended := strings.Replace(event("FAILED", "arn:2", "console-1", "Backfill.Invalid", "no such run"),
			text(`{"action":"start","backfill":"users"}`), text(request), 1)
		for input, reason := range map[string]string{closed: "no such run", ended: "execution failed: no such run"} {
			want := fmt.Sprintf(`{"run":%q,"state":"","reason":%q,"notice":"There is no run %s in this database: %s"}`, id, reason, id, reason)
			if got := b.answer(t, input); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
	}
	if runs := b.list(t, ""); len(runs) != 1 {
		t.Fatalf("%+v", runs)
	}
}

func TestACloseWithoutANameIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.refused(t, "", `{"action":"close","request":{},"execution":"arn","failure":{"Error":"x","Cause":""}}`)
}
