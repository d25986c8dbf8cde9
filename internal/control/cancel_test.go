package control_test

import (
	"strings"
	"testing"

	"backfill/internal/run"
	"backfill/internal/runtest"
)

func TestACancelNamesWhoAsked(t *testing.T) {
	t.Parallel()
	for input, reason := range map[string]string{
		`{"action":"cancel","run":"run-1","by":"ann@example.org"}`: "cancelled by ann@example.org",
		`{"action":"cancel","run":"run-1"}`:                        "cancelled",
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.expectStatus(t, b.answer(t, input), run.Cancelled, reason)
		})
	}
}

// TestACancelWaitsForTheLastLease: the governor ends the run, or where none lives any more, the next cancel. The
// first reason stays.
func TestACancelWaitsForTheLastLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	b.expectStatus(t, b.answer(t, `{"action":"cancel","run":"run-1","by":"ann"}`), run.Cancelling, "cancelled by ann")
	b.expectStatus(t, b.answer(t, `{"action":"cancel","run":"run-1","by":"bob"}`), run.Cancelling, "cancelled by ann")
	b.Die(t)
	b.expectStatus(t, b.answer(t, `{"action":"cancel","run":"run-1","by":"bob"}`), run.Cancelled, "cancelled by ann")
}

func TestACancelOfARunThatHasEndedTellsItsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1, 2, 3)
	_, err := b.Ledger.Move(t.Context(), "run-1", run.Running, run.Completed)
	must(t, err)
	must(t, b.Records.SetState(t.Context(), "run-1", run.Completed, ""))
	b.expectStatus(t, b.answer(t, `{"action":"cancel","run":"run-1","by":"ann"}`), run.Completed, "")
}

// TestACancelBringsTheRecordInLine, where it is late: whoever closed the run before died between the two stores.
func TestACancelBringsTheRecordInLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	_, err := b.Ledger.Close(t.Context(), "run-1", runtest.Execution, run.Cancelled, "enough")
	must(t, err)
	b.expectStatus(t, b.answer(t, `{"action":"cancel","run":"run-1","by":"ann"}`), run.Cancelling, "enough")
}

// TestACancelTouchesOnlyItsRun: another one, of another table, goes on.
func TestACancelTouchesOnlyItsRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, state)
		VALUES ('run-2', 'orders', 'arn:2', 'public.orders', '', '{}', 'RUNNING')`)
	must(t, b.Records.CreateRun(t.Context(), run.Status{Run: "run-2", State: run.Running}, "arn:2"))
	b.answer(t, `{"action":"cancel","run":"run-1"}`)
	answer := b.answer(t, `{"action":"status","run":"run-2"}`)
	if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE run = 'run-2' AND state = 'RUNNING'"); n != 1 || !strings.Contains(answer, `"RUNNING"`) {
		t.Fatal(answer)
	}
}
