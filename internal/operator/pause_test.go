package operator

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

// pauseTranscripts are what people see of a run that is paused.
var pauseTranscripts = map[string]transcript{
	"pause":                 {[]string{"pause", "email-1", "--reason", "a release goes out"}, answers("pause", pausingRun())},
	"pause-done":            {[]string{"pause", "email-1", "--region", "eu-west-1"}, answers("pause", paused())},
	"pause-late":            {[]string{"pause", "email-1"}, answers("pause", classed("Backfill.Invalid", "run email-1 is COMPLETED: there is nothing to pause"))},
	"status-paused":         {[]string{"status", "email-1"}, answers("status", paused())},
	"status-paused-failure": {[]string{"status", "email-1"}, answers("status", failurePaused())},
	"list-paused":           {[]string{"list"}, answers("list", map[string]any{"runs": []run.Status{paused(), working()}})},
	"watch-paused":          {[]string{"watch", "email-1"}, answers("status", append([]any{working(), pausingRun()}, append(still(229, paused())[:229], working(), after(run.Completed, ""))...)...)},
	"resume-paused":         {[]string{"resume", "email-1"}, lifts(working())},
	"resume-backward":       {[]string{"resume", "email-1"}, lifts(rolling(441_000))},
	"pause-all":             {[]string{"pause", "--all", "--reason", "the site is slow"}, answers("pause", map[string]any{"runs": []run.Status{pausingRun(), paused()}})},
	"pause-all-none":        {[]string{"pause", "--all"}, answers("pause", map[string]any{"runs": []run.Status{}})},
	"pause-all-json":        {[]string{"pause", "--all", "-o", "json"}, answers("pause", map[string]any{"runs": []run.Status{}})},
	"resume-all":            {[]string{"resume", "--all"}, answers("resume", map[string]any{"runs": []run.Status{working()}})},
	"resume-all-none":       {[]string{"resume", "--all"}, answers("resume", map[string]any{"runs": []run.Status{}})},
	"resume-gone":           {[]string{"resume", "email-1"}, lifts(classed("Backfill.Invalid", "run email-1 is CANCELLED, and not paused"))},
}

func TestPauseTranscripts(t *testing.T) { transcribe(t, pauseTranscripts) }

// paused is a run whose execution waits, for longer than a run that goes on may be silent.
func paused() run.Status {
	status := working()
	status.State, status.Reason = run.Paused, "paused by ann@laptop: a release goes out"
	status.Pause = &run.Pause{Since: noon.Add(-2 * time.Hour), By: "ann@laptop", For: run.ForRun}
	status.UpdatedAt, status.ETA, status.Rate, status.Concurrency = noon.Add(-2*time.Hour), nil, 0, 0
	status.Chunks.Pending, status.Chunks.Processing = 6, 0
	status.Throttle.Reason = status.Reason
	status.Changes = []run.Change{
		{At: noon.Add(-5 * time.Hour), State: run.Planning},
		{At: noon.Add(-4 * time.Hour), State: run.Running},
		{At: noon.Add(-3 * time.Hour), State: run.Paused, Detail: "paused by bob@host"},
		{At: noon.Add(-150 * time.Minute), State: run.Running, By: "ann@laptop"},
		{At: noon.Add(-130 * time.Minute), By: "ann@laptop", Detail: "rate 500 rows/s"},
		{At: noon.Add(-2 * time.Hour), State: run.Paused, By: "ann@laptop", Detail: status.Reason},
	}
	return status
}

// failurePaused is a run that is paused since a chunk has failed.
func failurePaused() run.Status {
	status := paused()
	status.Reason = "chunk 2 failed: apply batch 7 of chunk 2 of run email-1: 1 row within \"id\" > 100899 AND \"id\" <= 100900: SQLSTATE 22P02 (invalid_text_representation)"
	status.Pause.By, status.Pause.For = "", run.ForFailure
	status.Chunks.Failed, status.Chunks.Pending = 1, status.Chunks.Pending-1
	_, why, _ := strings.Cut(status.Reason, ": ")
	status.Failures = []run.Failure{{Chunk: 2, At: noon.Add(-2 * time.Hour), Reason: why}}
	status.Throttle.Reason = status.Reason
	last := len(status.Changes) - 1
	status.Changes[last].By, status.Changes[last].Detail = "", status.Reason
	return status
}

// pausingRun is one whose workers finish their batches.
func pausingRun() run.Status {
	status := working()
	status.State, status.Reason = run.Pausing, "paused by ann@laptop: a release goes out"
	status.Pause = &run.Pause{Since: noon.Add(-time.Second), By: "ann@laptop", For: run.ForRun}
	return status
}

// lifts is a stack with a run that is paused, and what it answers to the end of the pause.
func lifts(answer any) func(*bundle) {
	return func(b *bundle) {
		b.control.answers["status"], b.control.answers["resume"] = []any{paused()}, []any{answer}
	}
}

// TestThePauseOfARunEndsInItsOwnExecution: none is started, and whoever waits sees the end of the run.
func TestThePauseOfARunEndsInItsOwnExecution(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.control.answers["status"] = []any{paused(), working(), after(run.Completed, "")}
	b.control.answers["resume"] = []any{working()}
	if code := b.run(t, "resume", "email-1", "--wait"); code != exitDone || len(b.executions.started) > 0 {
		t.Fatalf("exit code %d, started %v: %s", code, b.executions.started, &b.err)
	}
	const look, act = `look {"action":"status","run":"email-1"}`, `act {"action":"resume","run":"email-1","by":"ann@laptop"}`
	if diff := cmp.Diff([]string{look, act, look, look}, b.control.asked); diff != "" {
		t.Error(diff)
	}
}

// TestAPausedRunThatLostItsExecutionGetsAnother, by the one command.
func TestAPausedRunThatLostItsExecutionGetsAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	accepts(paused(), working())(b)
	b.control.answers["resume"] = []any{struct {
		run.Status
		Lost bool `json:"lost"`
	}{working(), true}}
	if code := b.run(t, "resume", "email-1"); code != exitDone || b.executions.started["email-1-resume-20261124-120000"] != `{"action":"resume","run":"email-1"}` {
		t.Fatalf("exit code %d, started %v: %s", code, b.executions.started, &b.err)
	}
}
