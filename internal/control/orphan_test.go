package control_test

import (
	"encoding/json"
	"errors"
	"testing"

	"backfill/internal/control"
	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// resumes resumes the run, and tells whether it has lost its execution.
func (b *bundle) resumes(t *testing.T) (lost bool) {
	t.Helper()
	var got control.Resumed
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"resume","run":"run-1"}`)), &got))
	if got.State != run.Running {
		t.Fatalf("it is %s", got.State)
	}
	return got.Lost
}

// TestAPausedRunThatLostItsExecutionIsTakenOverAtOnce: no three minutes of silence are waited for.
func TestAPausedRunThatLostItsExecutionIsTakenOverAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer(t, `{"action":"pause","run":"run-1"}`)
	b.stops.dead = true
	if !b.resumes(t) {
		t.Fatal("nobody says that the execution is gone")
	}
	stored, err := b.Ledger.Revive(t.Context(), runtest.ID, runtest.Later)
	must(t, err)
	if stored.State != run.Running || stored.Execution != runtest.Later {
		t.Fatalf("%+v", stored)
	}
	if n := b.Number(t, "SELECT count(*) FROM backfill.changes WHERE detail = 'its execution was lost while it was paused; another one goes on'"); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
	if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE heartbeat > clock_timestamp() - interval '1 minute'"); n != 1 {
		t.Error("its workers would stop")
	}
}

// TestAPausedRunKeepsItsExecution where that runs, or where Step Functions does not tell.
func TestAPausedRunKeepsItsExecution(t *testing.T) {
	t.Parallel()
	for name, stops := range map[string]stops{"it runs": {}, "nobody tells": {dead: true, dumb: errors.New("AccessDenied")}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.answer(t, `{"action":"pause","run":"run-1"}`)
			b.stops.dead, b.stops.dumb = stops.dead, stops.dumb
			if b.resumes(t) {
				t.Error("it is said to be lost")
			}
			if _, err := b.Ledger.Revive(t.Context(), runtest.ID, runtest.Later); !failure.Is(err, failure.Invalid) {
				t.Errorf("it is taken over: %v", err)
			}
		})
	}
}
