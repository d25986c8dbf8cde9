package poison_test

import (
	"testing"
	"time"

	"backfill/internal/pausing"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// TestPoisonAtSize: within the budget every other row is written once, and those are named with their errors. When they are
// mended a retry writes them, and nothing is rejected any more.
func TestPoisonAtSize(t *testing.T) {
	t.Parallel()
	for way := range unique {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			b := setup(t, way)
			begun := time.Now()
			b.expect(t, b.line.Run(t, b.start(t, "clean", 0, "stop"), runtest.Execution), run.Completed)
			took, id := time.Since(begun), "poisoned-"+way
			b.fill(t)
			b.poison(t)
			watched.forget(id)
			begun = time.Now()
			b.expect(t, b.line.Run(t, b.start(t, id, 50, "stop"), runtest.Execution), run.Completed)
			t.Logf("%d rows in %s, without poison in %s", b.rows, time.Since(begun).Round(time.Millisecond), took.Round(time.Millisecond))
			b.expectPasses(t, id, way)
			b.expectWritten(t, id, poisoned)
			b.expectErrors(t, poisoned)
			b.expectSearches(t, id, poisoned)
			b.mend(t)
			b.expect(t, b.line.Run(t, encode(t, map[string]any{"action": "retry", "run": id}), runtest.Later), run.Completed)
			b.expectWritten(t, id, 0)
		})
	}
}

// TestABudgetThatIsTooSmall: the run ends at the row that is one too many, and names it.
func TestABudgetThatIsTooSmall(t *testing.T) {
	t.Parallel()
	b := setup(t, "plain")
	b.poison(t)
	got := b.line.Run(t, b.start(t, "stopped", 10, "stop"), runtest.Execution)
	b.expect(t, got, run.Failed)
	b.expectStopped(t, got.Reason)
}

// TestAPausedPoisonGoesOnWhenItIsMended: by the same run, in the same execution, and the ten that were rejected before by a
// retry.
func TestAPausedPoisonGoesOnWhenItIsMended(t *testing.T) {
	t.Parallel()
	b := setup(t, "striped")
	b.poison(t)
	got := b.line.Run(t, b.start(t, "paused", 10, "pause"), runtest.Execution)
	if got.Next != turn.Pause || got.State != run.Paused {
		t.Fatalf("%+v", got)
	}
	b.expectStopped(t, got.Reason)
	b.mend(t)
	_, err := pausing.New(b.Ledger, b.Records).Resume(t.Context(), "paused", "ann")
	must(t, err)
	b.expect(t, b.line.Watch(t, turn.Turn{Run: "paused", Next: turn.Beat}), run.Completed)
	if left := b.Number(t, "SELECT count(*) FROM readings WHERE n = id AND id > 0"); left != 10 {
		t.Fatalf("%d rows are left as they were", left)
	}
	b.expect(t, b.line.Run(t, encode(t, map[string]any{"action": "retry", "run": "paused"}), runtest.Later), run.Completed)
	b.expectWritten(t, "paused", 0)
}
