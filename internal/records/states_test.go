package records_test

import (
	"slices"
	"testing"
	"time"

	"backfill/internal/run"
)

func TestStatesFollowTheTable(t *testing.T) {
	b := setup(t)
	must(t, b.SetState(t.Context(), theRun, run.Running, ""))
	must(t, b.SaveProgress(t.Context(), run.Status{Run: theRun, State: run.Planning, Rate: 7}, 7))
	must(t, b.SetState(t.Context(), theRun, run.Cancelling, "enough"))
	must(t, b.SetState(t.Context(), theRun, run.Cancelled, "enough"))
	must(t, b.SetState(t.Context(), theRun, run.Failed, "too late"))
	status, err := b.Status(t.Context(), theRun)
	must(t, err)
	if status.State != run.Cancelled || status.Reason != "enough" || status.Rate != 7 || status.EndedAt == nil {
		t.Fatalf("%+v", status)
	}
}

// TestARecordNeverGoesBack walks every state by every other: a copy that comes late changes nothing.
func TestARecordNeverGoesBack(t *testing.T) {
	b := setup(t)
	for _, from := range run.States() {
		for _, to := range []run.State{run.Running, run.Pausing, run.Paused, run.Cancelling, run.Completed, run.Failed, run.Cancelled} {
			status := describe(string(from+"-"+to), start)
			status.State, status.Reason = from, "before"
			must(t, b.CreateRun(t.Context(), status, ""))
			must(t, b.SetState(t.Context(), status.Run, to, "after"))
			got, err := b.Status(t.Context(), status.Run)
			must(t, err)
			forward := slices.Contains(run.Before(to), from)
			if forward && (got.State != to || got.Reason != "after") || !forward && (got.State != from || got.Reason != "before") {
				t.Errorf("%s -> %s: %s (%s)", from, to, got.State, got.Reason)
			}
		}
	}
}

func TestARefusedRunIsRecordedAndListed(t *testing.T) {
	b := setup(t)
	b.now = start.Add(time.Minute)
	must(t, b.RecordEnd(t.Context(), "run-2", "users", "", run.Failed, "unknown column"))
	must(t, b.RecordEnd(t.Context(), theRun, "users", "", run.Failed, "lost"))
	runs, err := b.List(t.Context(), 10)
	must(t, err)
	if len(runs) != 2 || runs[0].Run != "run-2" || runs[0].State != run.Failed || runs[0].Reason != "unknown column" {
		t.Fatalf("%+v", runs)
	}
	if runs[1].State != run.Failed || runs[1].Reason != "lost" || runs[1].Rows.Estimated != 42 {
		t.Fatalf("%+v", runs[1])
	}
}
