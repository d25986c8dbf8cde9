package control_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"backfill/internal/control"
	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const awaits = `{"action":"await","run":"run-1","execution":"` + runtest.Execution + `","token":"one"}`

// expectWoken demands which tasks were woken since the last look.
func (b *bundle) expectWoken(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(b.stops.woken, want) {
		t.Fatalf("woken: %v, want %v", b.stops.woken, want)
	}
	b.stops.woken = nil
}

func TestAPauseNamesWhoAskedAndWhy(t *testing.T) {
	t.Parallel()
	for input, reason := range map[string]string{
		`{"action":"pause","run":"run-1","by":"ann","reason":"a release"}`: "paused by ann: a release",
		`{"action":"pause","run":"run-1","by":"ann"}`:                      "paused by ann",
		`{"action":"pause","run":"run-1"}`:                                 "paused",
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.expectStatus(t, b.answer(t, input), run.Paused, reason)
			b.expectStatus(t, b.answer(t, `{"action":"pause","run":"run-1","by":"bob"}`), run.Paused, reason)
		})
	}
}

// TestTheStatusTellsWhoDidWhat, also of what was done by the others.
func TestTheStatusTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1","by":"ann","reason":"a release"}`)
	b.answer(t, `{"action":"resume","run":"run-1","by":"bob"}`)
	b.answer(t, `{"action":"cancel","run":"run-1","by":"eve"}`)
	var got run.Status
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"status","run":"run-1"}`)), &got))
	want := []run.Change{
		{State: run.Running}, {State: run.Pausing, By: "ann", Detail: "paused by ann: a release"},
		{State: run.Paused, Detail: "paused by ann: a release"}, {State: run.Running, By: "bob"},
		{State: run.Cancelling, Detail: "cancelled by eve"}, {State: run.Cancelled, Detail: "cancelled by eve"},
	}
	if diff := cmp.Diff(want, got.Changes, cmpopts.IgnoreFields(run.Change{}, "At")); diff != "" {
		t.Fatal(diff)
	}
}

// TestAResumeWakesTheExecution, however often it is asked for.
func TestAResumeWakesTheExecution(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	if answer := b.answer(t, awaits); answer != `{"waits":true}` {
		t.Fatal(answer)
	}
	b.expectWoken(t)
	b.expectStatus(t, b.answer(t, `{"action":"resume","run":"run-1"}`), run.Running, "")
	b.expectWoken(t, "one")
	b.expectStatus(t, b.answer(t, `{"action":"resume","run":"run-1"}`), run.Running, "")
	b.expectWoken(t)
}

// TestAResumeThatComesFirstIsNotLost: the task that comes to wait finds that there is nothing to wait for.
func TestAResumeThatComesFirstIsNotLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	b.answer(t, `{"action":"resume","run":"run-1"}`)
	if answer := b.answer(t, awaits); answer != `{"waits":false}` {
		t.Fatal(answer)
	}
	b.expectWoken(t, "one")
}

// TestAWakeThatFailsIsRepeated: the run stays paused, and the token is there still.
func TestAWakeThatFailsIsRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	b.answer(t, awaits)
	b.stops.fails = errors.New("throttled")
	if _, err := b.ask(t, "", `{"action":"resume","run":"run-1"}`); !failure.Is(err, failure.Transient) {
		t.Fatal(err)
	}
	b.Expect(t, run.Paused, "paused")
	b.stops.fails = nil
	b.expectStatus(t, b.answer(t, `{"action":"resume","run":"run-1"}`), run.Running, "")
	b.expectWoken(t, "one")
}

// TestATaskThatWasForgottenIsWoken: whoever let the run go on died before. Else nobody would bring it to PAUSED again.
func TestATaskThatWasForgottenIsWoken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	b.answer(t, awaits)
	_, err := b.Ledger.Unpause(t.Context(), runtest.ID, "ann", "")
	must(t, err)
	b.Claim(t, 1, 1)
	b.expectStatus(t, b.answer(t, `{"action":"pause","run":"run-1"}`), run.Pausing, "paused")
	b.expectWoken(t, "one")
}

// TestACancelOfAPausedRunWorksAtOnce, and its execution ends as the run has.
func TestACancelOfAPausedRunWorksAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	b.answer(t, awaits)
	b.expectStatus(t, b.answer(t, `{"action":"cancel","run":"run-1","by":"ann"}`), run.Cancelled, "cancelled by ann")
	b.expectWoken(t, "one")
	b.refused(t, "", `{"action":"pause","run":"run-1"}`)
	b.refused(t, "", `{"action":"resume","run":"run-1"}`)
	if b.Record(t).Status.Pause != nil {
		t.Error("it looks paused still")
	}
}

// TestAnExecutionThatIsStoppedWhilePaused ends its run.
func TestAnExecutionThatIsStoppedWhilePaused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	b.answer(t, awaits)
	b.answer(t, event("ABORTED", runtest.Execution, "run-1", "", ""))
	b.Expect(t, run.Cancelled, "the execution was stopped")
}

// TestAKillSwitch pauses all, and lets go on what it has paused; each execution that waits is woken.
func TestAKillSwitch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.control.Own = runtest.Execution
	all := func(input string, want ...run.State) {
		t.Helper()
		var found control.Runs
		must(t, json.Unmarshal([]byte(b.answer(t, input)), &found))
		if len(found.Runs) != len(want) || len(want) > 0 && found.Runs[0].State != want[0] {
			t.Fatalf("%s: %+v", input, found.Runs)
		}
	}
	all(`{"action":"pause","all":true,"by":"ann","reason":"slow"}`, run.Paused)
	b.Expect(t, run.Paused, "paused by ann: slow")
	b.answer(t, awaits)
	all(`{"action":"resume","all":true}`, run.Running)
	b.expectWoken(t, "one")
	b.Expect(t, run.Running, "")
	all(`{"action":"resume","all":true}`)
	b.Exec(t, "UPDATE backfill.runs SET waiting = 'forgotten'")
	all(`{"action":"resume","all":true}`, run.Running)
	b.expectWoken(t, "forgotten")
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	all(`{"action":"pause","all":true}`)
	all(`{"action":"resume","all":true}`)
	b.Expect(t, run.Paused, "paused")
	b.refused(t, "", `{"action":"pause","all":true,"run":"run-1"}`)
	b.refused(t, "read", `{"action":"pause","all":true}`)
}

func TestWhoMayNotAwait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	if _, err := b.ask(t, "", `{"action":"await","run":"run-1","execution":"arn:other","token":"one"}`); !failure.Is(err, failure.Busy) {
		t.Error(err)
	}
	b.refused(t, "", `{"action":"await","run":"nobody","execution":"arn:other","token":"one"}`)
	b.refused(t, "", `{"action":"await","run":"run-1","execution":"arn:other"}`)
	b.refused(t, "", `{"action":"pause"}`)
	b.refused(t, "", `{"action":"resume"}`)
	for _, action := range []string{"pause", "resume", "await"} {
		b.refused(t, "read", `{"action":"`+action+`","run":"run-1"}`)
	}
}
