package planner_test

import (
	"encoding/json"
	"testing"

	"backfill/internal/planner"
	"backfill/internal/records"
	"backfill/internal/registry"
	"backfill/internal/review"
	"backfill/internal/runtest"
)

// TestARunSaysWhichVersionItUsed: in Postgres, in its record, and in the text that workers go by. A newer version changes nothing.
func TestARunSaysWhichVersionItUsed(t *testing.T) {
	t.Parallel()
	b := setup(t, 300, 64)
	b.planner.Reviewer = review.Reviewer{Session: b.Session, Registry: registry.Registry{Store: b.Records}} // Inline is not needed
	add := func(text string) {
		_, _, err := b.Records.Register(t.Context(), records.Definition{Name: "increment", Source: text})
		must(t, err)
	}
	add(increment)
	asked := named(t, "increment@1")
	_, err := b.planner.Handle(t.Context(), asked)
	must(t, err)
	add(increment + "owner: payments\n")
	stored, err := b.Ledger.Run(t.Context(), runtest.ID)
	must(t, err)
	status := b.Record(t).Status
	if stored.Version != 1 || stored.Definition != increment || stored.Backfill != "increment" || status.Version != 1 || status.Backfill != "increment" {
		t.Errorf("%+v, %+v", stored, status)
	}
	// The same start again is the same run.
	_, err = b.planner.Handle(t.Context(), asked)
	must(t, err)

	b.Exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = now()")
	other := named(t, "increment")
	other.Name, other.Request = "run-2", json.RawMessage(`{"action":"start","backfill":"increment","run":"run-2"}`)
	_, err = b.planner.Handle(t.Context(), other)
	must(t, err)
	if stored, err = b.Ledger.Run(t.Context(), "run-2"); err != nil || stored.Version != 2 {
		t.Errorf("%+v, %v", stored, err)
	}
}

func named(t *testing.T, backfill string) planner.Call {
	t.Helper()
	request, err := json.Marshal(map[string]string{"action": "start", "backfill": backfill, "run": runtest.ID})
	must(t, err)
	return planner.Call{Step: "begin", Request: request, Execution: runtest.Execution, Name: "the-execution"}
}
