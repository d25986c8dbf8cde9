package governor_test

import (
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// TestABeatDecides by what the ledger says: one case for each branch, and for the limits between them.
func TestABeatDecides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, b *bundle)
		next   turn.Next
		state  run.State
		reason string
	}{
		"nothing to do: the next beat": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
		}, turn.Beat, run.Running, ""},
		"a run that has ended, and whose record is late": {func(t *testing.T, b *bundle) {
			b.Plan(t, 12)
			b.Finish(t, all...)
			b.Exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = now()")
		}, turn.End, run.Completed, ""},
		"a cancel while a lease lives": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Claim(t, 1, 1)
			b.cancel(t)
		}, turn.Beat, run.Cancelling, "enough"},
		"a cancel after the last lease": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Claim(t, 1, 1)
			b.Die(t)
			b.cancel(t)
		}, turn.End, run.Cancelled, "enough"},
		"a cancel before the first lease": {func(t *testing.T, b *bundle) { b.cancel(t) }, turn.End, run.Cancelled, "enough"},
		"a failed chunk, the first of two": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Fail(t, 4, "SQLSTATE 23505")
			b.Fail(t, 2, "SQLSTATE 22012")
		}, turn.End, run.Failed, "2 chunks failed (2, 4); chunk 2 failed: SQLSTATE 22012"},
		"a failed chunk that stops no other": {func(t *testing.T, b *bundle) {
			b.onFailure(t, change.Continue)
			b.Plan(t, 12)
			b.Fail(t, 2, "SQLSTATE 22012")
			b.Finish(t, all[2:]...)
		}, turn.Beat, run.Running, ""},
		"a failed chunk, and nothing waits of a plan that goes on": {func(t *testing.T, b *bundle) {
			b.onFailure(t, change.Continue)
			b.Plan(t, 6)
			b.Fail(t, 2, "SQLSTATE 22012")
			b.Finish(t, 1, 3, 4, 5, 6)
		}, turn.Plan, run.Running, ""},
		"every chunk is finished, but for those that failed": {func(t *testing.T, b *bundle) {
			b.onFailure(t, change.Continue)
			b.Plan(t, 12)
			b.Fail(t, 2, "SQLSTATE 22012")
			b.Fail(t, 7, "SQLSTATE 23505")
			b.Finish(t, 1, 3, 4, 5, 6, 8, 9, 10, 11, 12)
		}, turn.End, run.Failed, "2 chunks failed (2, 7); chunk 2 failed: SQLSTATE 22012"},
		"a failed chunk beside a lease that lives": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Claim(t, 1, 1)
			b.Fail(t, 2, "SQLSTATE 22012")
		}, turn.Beat, run.Cancelling, "chunk 2 failed: SQLSTATE 22012"},
		"every chunk is finished": {func(t *testing.T, b *bundle) {
			b.Plan(t, 12)
			b.Finish(t, all...)
		}, turn.End, run.Completed, ""},
		"every chunk but one is finished": {func(t *testing.T, b *bundle) {
			b.Plan(t, 12)
			b.Finish(t, all[:11]...)
		}, turn.Beat, run.Running, ""},
		"every chunk so far is finished": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Finish(t, all[:6]...)
		}, turn.Plan, run.Running, ""},
		"every chunk so far is finished, and a transaction is awaited": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Finish(t, all[:6]...)
			b.awaited(t)
		}, turn.Beat, run.Running, ""},
		"every chunk is finished, and a transaction is awaited": {func(t *testing.T, b *bundle) {
			b.Plan(t, 12)
			b.Finish(t, all...)
			b.awaited(t)
		}, turn.Beat, run.Running, ""},
		"half of the look-ahead waits": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Finish(t, 1, 2, 3)
		}, turn.Beat, run.Running, ""},
		"less than half of the look-ahead waits": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Finish(t, 1, 2, 3)
			b.Claim(t, 4, 1)
		}, turn.Plan, run.Running, ""},
		"less than half of it waits, with chunks that were given back": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Finish(t, 1, 2)
			b.GiveBack(t, 3, time.Hour)
			b.GiveBack(t, 4, time.Hour)
			b.Claim(t, 5, 1)
		}, turn.Beat, run.Running, ""},
		"one worker may work, and enough wait for it": {func(t *testing.T, b *bundle) {
			b.Plan(t, 6)
			b.Finish(t, 1, 2, 3)
			b.Claim(t, 4, 1)
			b.Exec(t, "INSERT INTO backfill.shares (run, workers) VALUES ($1, 1)", runtest.ID)
		}, turn.Beat, run.Running, ""},
		"nothing waits, and the plan is closed": {func(t *testing.T, b *bundle) {
			b.Plan(t, 12)
			b.Finish(t, all[:11]...)
			b.Claim(t, 12, 1)
		}, turn.Beat, run.Running, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.before(t, b)
			b.expect(t, b.beat(t), c.next, c.state, c.reason)
		})
	}
}

// TestACloseGoesOnInTheNextBeat: a failed chunk, and the lease beside it that ends later.
func TestACloseGoesOnInTheNextBeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.Claim(t, 1, 1)
	b.Fail(t, 2, "SQLSTATE 22012")
	b.beat(t)
	b.Die(t)
	b.expect(t, b.beat(t), turn.End, run.Failed, "chunk 2 failed: SQLSTATE 22012")
	b.expect(t, b.beat(t), turn.End, run.Failed, "chunk 2 failed: SQLSTATE 22012")
}

func TestACompletedRunHasItsCheckpoints(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, all...)
	b.beat(t)
	must(t, b.Records.EachChunk(t.Context(), runtest.ID, func(some []records.Checkpoint) error {
		for _, c := range some {
			if c.State != chunk.Completed || c.Scanned != 100 || c.Affected != 99 {
				t.Errorf("%+v", c)
			}
		}
		return nil
	}))
}

// TestACancelWhileARunIsCompletedIsSeenByTheNextBeat: it came between the proof and the last step.
func TestACancelWhileARunIsCompletedIsSeenByTheNextBeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, all...)
	writes := 0
	b.Wire.Before = func(operation string) {
		if operation == "UpdateItem" {
			if writes++; writes == 2 { // the first is the report, the second a checkpoint
				b.cancel(t)
			}
		}
	}
	if got := b.beat(t); got.Next != turn.Beat {
		t.Fatalf("%+v", got)
	}
	b.expect(t, b.beat(t), turn.End, run.Cancelled, "enough")
}

// TestRepairComesBeforePlanning: a run whose workers are quick asks for a plan at each sample.
func TestRepairComesBeforePlanning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 3)
	b.Finish(t, 1)
	b.GiveBack(t, 2, 0)
	b.expect(t, b.beat(t), turn.Plan, run.Running, "")
	if diff := cmp.Diff([][2]int64{{2, 2}}, b.Queue.Numbers()); diff != "" {
		t.Fatal(diff)
	}
}

// TestARunThatIsClosingGetsNothingSent, though a chunk of it was given back.
func TestARunThatIsClosingGetsNothingSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.GiveBack(t, 2, 0)
	b.Claim(t, 1, 1)
	b.cancel(t)
	if got := b.beat(t); got.State != run.Cancelling {
		t.Fatalf("%+v", got)
	}
	if sent := b.Queue.Take(); len(sent) > 0 {
		t.Fatalf("%+v", sent)
	}
}

func TestASegmentEndsWhenItsBudgetIsUsedUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, b *bundle)
		beat   int
		want   turn.Next
	}{
		"one beat is left":     {func(t *testing.T, b *bundle) { b.Plan(t, 6) }, 398, turn.Beat},
		"the last beat":        {func(t *testing.T, b *bundle) { b.Plan(t, 6) }, 399, turn.Segment},
		"the planner can wait": {func(*testing.T, *bundle) {}, 399, turn.Segment},
		"the end cannot":       {func(t *testing.T, b *bundle) { b.cancel(t) }, 399, turn.End},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.before(t, b)
			if got := b.beatOf(t, turn.Turn{Run: runtest.ID, Beat: c.beat, Budget: 400}); got.Next != c.want {
				t.Fatalf("%+v", got)
			}
		})
	}
}

// TestABeatGoesOnUntilSomethingIsToBeDone: a cancel that comes after its first sample is seen by its second.
func TestABeatGoesOnUntilSomethingIsToBeDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.governor.Duration = time.Minute
	samples := 0
	b.Wire.After = func(operation string) {
		if operation == "UpdateItem" {
			if samples++; samples == 1 {
				b.cancel(t)
			}
		}
	}
	b.expect(t, b.beat(t), turn.End, run.Cancelled, "enough")
}
