package planner_test

import (
	"errors"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// TestAnIDThatAnotherDatabaseTookMeanwhile: between the look and the record. The run that was opened ends, so that its table is free; the other's
// record stays as it is.
func TestAnIDThatAnotherDatabaseTookMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	must(t, b.Records.In("orders").CreateRun(t.Context(), run.Status{Run: runtest.ID, State: run.Planning, StartedAt: b.Clock.Now()}, "arn:other"))
	if _, err := b.planner.Handle(t.Context(), start(runtest.ID)); !errors.Is(err, records.ErrTaken) || !failure.Is(err, failure.Invalid) {
		t.Fatal(err)
	}
	stored, err := b.Ledger.Run(t.Context(), runtest.ID)
	must(t, err)
	if stored.State != run.Failed || len(b.Queue.Take()) > 0 {
		t.Errorf("%s", stored.State)
	}
	if record := b.Record(t); record.Status.Database != "orders" || record.Status.State != run.Planning || record.Execution != "arn:other" {
		t.Errorf("%+v", record)
	}
	got, err := b.planner.Handle(t.Context(), start("another"))
	if err != nil || got.State != run.Running {
		t.Errorf("the table is not free: %+v %v", got, err)
	}
}
