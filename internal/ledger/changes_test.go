package ledger_test

import (
	"testing"

	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTheLogHasEveryChange: who, what, and why, in their order; what a person says of one is not told of the next.
func TestTheLogHasEveryChange(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.move(t, run.Planning, run.Running)
		b.pause(t, true)
		b.rests(t, run.Paused)
		_, _, err := b.ledger.Beat(t.Context(), theRun, 10) // changes nothing
		must(t, err)
		b.unpause(t, true)
		must(t, b.ledger.WentBack(t.Context(), theRun, "it had gone back"))
		b.tune(t, theRun, ledger.Tuning{Rate: number(5000), Weight: number(2), By: "bob"})
		b.tune(t, "another", ledger.Tuning{Rate: number(5000), By: "bob"})
		b.tune(t, "", ledger.Tuning{Rate: number(0), By: "eve"})
		_, err = b.ledger.Close(t.Context(), theRun, "", run.Failed, "chunk 3 failed")
		must(t, err)
		_, _, err = b.ledger.Finish(t.Context(), theRun)
		must(t, err)
		want := []run.Change{
			{State: run.Running},
			{State: run.Pausing, By: "ann", Detail: "paused by ann"},
			{State: run.Paused, Detail: "paused by ann"},
			{State: run.Running, By: "ann"},
			{Detail: "it had gone back"},
			{By: "bob", Detail: "at most 5,000 rows/s, weight 2"},
			{By: "eve", Detail: "of the database: no limit of the rate"},
			{State: run.Cancelling, Detail: "chunk 3 failed"},
			{State: run.Failed, Detail: "chunk 3 failed"},
		}
		b.expectChanges(t, want)
		_, err = b.ledger.Revive(t.Context(), theRun, "arn:2")
		must(t, err)
		b.expectChanges(t, append(want, run.Change{State: run.Running}))
	})
}

// TestTheStatusHasTheLastChanges; the table has all of them.
func TestTheStatusHasTheLastChanges(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "INSERT INTO backfill.changes (run, detail) SELECT $1, repeat(n::text, 400) FROM generate_series(1, 30) n", theRun)
	progress := b.look(t)
	if n := len(progress.Changes); n != 20 || len(progress.Changes[19].Detail) != 500 || progress.Changes[0].Detail[:2] != "11" {
		t.Fatalf("%d changes: %v", n, progress.Changes)
	}
}

func (b *bundle) look(t *testing.T) ledger.Progress {
	t.Helper()
	progress, err := b.ledger.Look(t.Context(), theRun)
	must(t, err)
	return progress
}

func (b *bundle) expectChanges(t *testing.T, want []run.Change) {
	t.Helper()
	got := b.look(t).Changes
	for i, change := range got {
		if i > 0 && change.At.Before(got[i-1].At) || change.At.IsZero() {
			t.Errorf("change %d is of %s", i, change.At)
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(run.Change{}, "At")); diff != "" {
		t.Fatal(diff)
	}
}
