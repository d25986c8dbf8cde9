package canary_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// TestAPauseIsNoApproval: who pauses and resumes the run while its canary works does not let the rest go, nor does a resume while it waits.
func TestAPauseIsNoApproval(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, increment, "10%")
	b.Exec(t, "UPDATE backfill.runs SET state = 'RUNNING', paused_for = ''")
	_, err := b.pauser.Pause(t.Context(), runtest.ID, "ann", "a release")
	must(t, err)
	if err := b.pauser.MayApprove(t.Context(), runtest.ID); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "its canary has not come to its end") {
		t.Errorf("%v", err)
	}
	if state, err := b.pauser.Approve(t.Context(), runtest.ID, "ann"); state != run.Paused || err != nil {
		t.Errorf("%s, %v", state, err)
	}
	_, err = b.pauser.Resume(t.Context(), runtest.ID, "ann")
	must(t, err)
	b.waits(t, b.goOn(t))
	b.expectChanged(t, 400)
	if err := b.pauser.MayResume(t.Context(), runtest.ID); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "backfill approve run-1") {
		t.Errorf("%v", err)
	}
	if state, err := b.pauser.Resume(t.Context(), runtest.ID, "ann"); state != run.Paused || err != nil {
		t.Errorf("%s, %v", state, err)
	}
	state, err := b.pauser.Pause(t.Context(), runtest.ID, "bob", "another release")
	must(t, err)
	if status := b.Record(t).Status; state != run.Paused || status.Pause.For != run.ForCanary {
		t.Errorf("%+v", status.Pause)
	}
	b.expectEnd(t, b.approve(t), run.Completed)
	b.expectChanged(t, rows)
	if err := b.pauser.MayApprove(t.Context(), runtest.ID); !failure.Is(err, failure.Invalid) {
		t.Errorf("an approval of a run that has ended: %v", err)
	}
}

// TestAWindowIsNoApproval: a run whose window shuts and opens while its canary works waits for the approval all the same.
func TestAWindowIsNoApproval(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, increment, "10%")
	b.Exec(t, "UPDATE backfill.runs SET state = 'PAUSED', paused_for = 'window', paused_until = clock_timestamp() - interval '1 s'")
	b.waits(t, b.goOn(t))
	b.expectChanged(t, 400)
	b.expectEnd(t, b.approve(t), run.Completed)
	b.expectChanged(t, rows)
}

// TestARunThatWaitedIsResumed: cancelled and brought back, it waits again.
func TestARunThatWaitedIsResumed(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, double, "10%")
	_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "no")
	must(t, err)
	b.expectEnd(t, b.goOn(t), run.Cancelled)
	status := b.waits(t, b.line.Run(t, json.RawMessage(`{"action":"resume","run":"run-1"}`), runtest.Later))
	if f := status.Canary.Forecast; f.Verified == nil || f.Verified.Rows != 400 || f.Chunks != 4 {
		t.Errorf("%+v", f)
	}
	b.expectEnd(t, b.approve(t), run.Completed)
}

// TestACanaryThatFails ends the run as its definition has it; with on_failure: continue it waits, and says so.
func TestACanaryThatFails(t *testing.T) {
	t.Parallel()
	for way, state := range map[string]run.State{"stop": run.Failed, "pause": run.Paused, "continue": run.Paused} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			b.Exec(t, "UPDATE counters SET n = 999999 WHERE id = 1050")
			got := b.line.Run(t, b.request(t, increment+"on_failure: "+way+"\n", "10%"), runtest.Execution)
			status := b.Record(t).Status
			if got.State != state || status.Chunks.Failed != 1 || b.Number(t, "SELECT count(*) FROM counters WHERE n = id + 1 AND id NOT BETWEEN 1 AND 3100") > 0 {
				t.Fatalf("%+v, %+v", got, status.Chunks)
			}
			if way == "stop" {
				return
			}
			if way == "continue" && (status.Pause.For != run.ForCanary || !strings.Contains(status.Reason, "1 chunk FAILED")) || way == "pause" && status.Pause.For != run.ForFailure {
				t.Fatalf("%+v, %q", status.Pause, status.Reason)
			}
			b.Exec(t, "UPDATE counters SET n = 1050 WHERE id = 1050")
			if way == "pause" {
				_, err := b.pauser.Resume(t.Context(), runtest.ID, "ann")
				must(t, err)
				b.waits(t, b.goOn(t))
				b.expectChanged(t, 400)
			}
			b.expectEnd(t, b.approve(t), run.Completed)
			b.expectChanged(t, rows)
		})
	}
}

// TestACanaryIsTakenBack: after it is cancelled, nothing of it is left.
func TestACanaryIsTakenBack(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.start(t, increment, "10%")
		_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "no")
		must(t, err)
		b.expectEnd(t, b.goOn(t), run.Cancelled)
		b.expectEnd(t, b.line.Run(t, json.RawMessage(`{"action":"rollback","run":"run-1"}`), runtest.Later), run.RolledBack)
		b.expectChanged(t, 0)
	})
}
