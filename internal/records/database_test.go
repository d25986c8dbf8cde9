package records_test

import (
	"errors"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/records"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

// TestARecordSaysInWhichDatabaseItsRunIs, whatever is written to it; one of before there were several is of the stack's own.
func TestARecordSaysInWhichDatabaseItsRunIs(t *testing.T) {
	b := setup(t)
	orders := b.In("orders")
	must(t, orders.CreateRun(t.Context(), describe("run-2", start), "arn:2"))
	must(t, orders.RecordEnd(t.Context(), "run-3", "users", "arn:3", run.Failed, "refused"))
	must(t, b.SaveProgress(t.Context(), run.Status{Run: "run-2", Rate: 7}, 1))
	must(t, orders.Reopen(t.Context(), "run-2", "resume", run.Running, "arn:4"))
	got := map[string]string{}
	runs, err := b.List(t.Context(), 10)
	must(t, err)
	for _, status := range runs {
		got[status.Run] = status.Database
	}
	if diff := cmp.Diff(map[string]string{theRun: "", "run-2": "orders", "run-3": "orders"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestAnIDIsThatOfOneDatabase: the record of another's run is neither taken over nor changed.
func TestAnIDIsThatOfOneDatabase(t *testing.T) {
	b := setup(t)
	orders := b.In("orders")
	before, err := b.Run(t.Context(), theRun)
	must(t, err)
	err = orders.CreateRun(t.Context(), describe(theRun, start), "arn:2")
	if !errors.Is(err, records.ErrTaken) || !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "run "+theRun+" is one of database default already") {
		t.Error(err)
	}
	must(t, orders.RecordEnd(t.Context(), theRun, "users", "arn:2", run.Failed, "refused"))
	after, err := b.Run(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	must(t, orders.CreateRun(t.Context(), describe("run-2", start), "arn:2"))
	if err := orders.CreateRun(t.Context(), describe("run-2", start), "arn:2"); !errors.Is(err, records.ErrExists) {
		t.Error(err)
	}
}
