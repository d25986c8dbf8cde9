package control_test

import (
	"strings"
	"testing"

	"backfill/internal/run"
	"backfill/internal/runtest"
)

// canary has the run of the test wait for an approval, and its execution with it.
func (b *bundle) canary(t *testing.T) {
	t.Helper()
	b.Exec(t, "UPDATE backfill.runs SET canary = 10000")
	_, err := b.Ledger.PauseForApproval(t.Context(), runtest.ID, "canary of 1%", run.Forecast{Share: "1%"})
	must(t, err)
	_, _, err = b.Ledger.Rest(t.Context(), runtest.ID)
	must(t, err)
	must(t, b.Records.SetState(t.Context(), runtest.ID, run.Paused, "canary of 1%"))
	if answer := b.answer(t, awaits); answer != `{"waits":true}` {
		t.Fatal(answer)
	}
}

// TestAnApprovalWakesTheExecution, however often it is given; and it is in the log, with who gave it.
func TestAnApprovalWakesTheExecution(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.canary(t)
	b.expectStatus(t, b.answer(t, `{"action":"approve","run":"run-1","by":"ann"}`), run.Running, "")
	b.expectWoken(t, "one")
	b.expectStatus(t, b.answer(t, `{"action":"approve","run":"run-1","by":"bob"}`), run.Running, "")
	b.expectWoken(t)
	if n := b.Number(t, "SELECT count(*) FROM backfill.changes WHERE by = 'ann' AND state = 'RUNNING'"); n != 1 {
		t.Errorf("%d lines of the log", n)
	}
}

// TestOnlyAnApprovalIsOne: neither a resume, nor a resume of all, nor the right to look. Nobody is woken by what is refused.
func TestOnlyAnApprovalIsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if told := b.refused(t, "", `{"action":"approve","run":"run-1"}`); !strings.Contains(told, "does not wait for an approval") {
		t.Error(told)
	}
	b.canary(t)
	if told := b.refused(t, "", `{"action":"resume","run":"run-1"}`); !strings.Contains(told, "backfill approve run-1") {
		t.Error(told)
	}
	if told := b.refused(t, "read", `{"action":"approve","run":"run-1"}`); !strings.Contains(told, "does not serve") {
		t.Error(told)
	}
	b.answer(t, `{"action":"pause","all":true}`)
	b.answer(t, `{"action":"resume","all":true}`)
	b.expectWoken(t)
	b.Expect(t, run.Paused, "canary of 1%")
}
