package turn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/notice"
	"backfill/internal/run"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// mostBytes of a state: Step Functions ends an execution whose state has more than 256 kB.
const mostBytes = 100_000

// TestAllTurnsAreSmall, whatever somebody has given as a reason or as a name: of it, JSON makes six bytes of each character.
func TestAllTurnsAreSmall(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<", 1_000_000)
	statuses := []run.Status{{State: run.Completed, Action: "verify"}, {State: run.Failed, Action: "verify", Certificate: &run.Certificate{}}}
	for _, state := range run.States() {
		statuses = append(statuses, run.Status{State: state})
	}
	for _, why := range []run.For{run.ForRun, run.ForAll, run.ForWindow, run.ForFailure, run.ForCanary} {
		statuses = append(statuses, run.Status{State: run.Paused, Pause: &run.Pause{For: why, By: long}})
	}
	for _, status := range statuses {
		status.Run, status.Backfill, status.Table, status.Reason = strings.Repeat("r", 80), strings.Repeat("b", 80), strings.Repeat("t", 200), long
		status.Rows = run.Rows{Scanned: 1 << 60, Affected: 1 << 60, Rejected: 1 << 60, Restored: 1 << 60, Conflicts: 1 << 60, Verified: 1 << 60, Deviating: 1 << 60}
		text, err := json.Marshal(turn.Turn{
			Run: status.Run, State: status.State, Reason: status.Reason, Beat: 1 << 30, Budget: 1 << 30, Next: turn.Pause, Wait: turn.Longest,
			Segment: strings.Repeat("a", 2048), Notice: notice.Of(status),
		})
		if err != nil || len(text) > mostBytes {
			t.Errorf("%s, %+v: %d bytes, %v", status.State, status.Pause != nil, len(text), err)
		}
	}
}

// TestATurnIsReadAsItWasWritten: what is short is not touched.
func TestATurnIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	want := turn.Turn{Run: "email-1", State: run.Running, Reason: "é: " + strings.Repeat("x", 3_000), Beat: 3, Budget: 400, Next: turn.Beat, Notice: "n"}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got turn.Turn
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}
