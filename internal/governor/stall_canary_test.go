package governor_test

import (
	"testing"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// TestACanaryThatWaitsForThePlanIsNoStall: its chunks are done, and the planner has not come to the next one yet.
func TestACanaryThatWaitsForThePlanIsNoStall(t *testing.T) {
	t.Parallel()
	b := stalls(t)
	b.canary(t, 1, 6)
	b.pass(t, 2*time.Hour)
	if said := b.says(t); said != "" {
		t.Error(said)
	}
}

// chunks are the ranges of chunks that are planned.
func (b *bundle) chunks(t *testing.T, numbers ...int64) map[int64]keyset.Range {
	t.Helper()
	found, err := b.Records.Chunks(t.Context(), "run-1", numbers)
	must(t, err)
	ranges := map[int64]keyset.Range{}
	for _, c := range found {
		ranges[c.Chunk] = c.Range
	}
	return ranges
}

// canary makes it a run with a canary, of whose planned chunks the first are done, and the others held.
func (b *bundle) canary(t *testing.T, done, planned int64) {
	t.Helper()
	var entries []ledger.Entry
	for n := int64(1); n <= planned; n++ {
		if n <= done {
			b.Finish(t, n)
			continue
		}
		entries = append(entries, ledger.Entry{Chunk: n, Range: b.chunks(t, n)[n]})
	}
	b.Exec(t, "UPDATE backfill.runs SET canary = 50000")
	must(t, b.Ledger.HoldBack(t.Context(), "run-1", entries))
}

// opens makes the beat that opens chunks, and demands that the time that went by before is no stall, and that the time after it is.
func (b *bundle) opens(t *testing.T) {
	t.Helper()
	for range 2 {
		if said := b.says(t); said != "" {
			t.Fatal(said)
		}
	}
	if open := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PENDING' AND NOT held"); open == 0 {
		t.Fatal("nothing is open")
	}
	b.pass(t, ledger.Lost-time.Minute)
	if said := b.says(t); said != "" {
		t.Error(said)
	}
	b.pass(t, time.Minute)
	b.expectSaid(t, b.says(t))
	b.pass(t, time.Hour)
	b.expect(t, b.beat(t), turn.End, run.Failed, "stalled: no row was handled from ")
}

// TestWhatIsOpenedInACanaryIsNoStall: its first chunk took its time to be counted, or the others to be planned, and nobody had anything to do meanwhile.
func TestWhatIsOpenedInACanaryIsNoStall(t *testing.T) {
	t.Parallel()
	t.Run("more chunks", func(t *testing.T) {
		t.Parallel()
		b := stalls(t)
		b.Plan(t, 12)
		b.canary(t, 1, 12)
		b.pass(t, 2*time.Hour)
		b.opens(t)
	})
	t.Run("a look", func(t *testing.T) {
		t.Parallel()
		b := stalls(t)
		b.Exec(t, `UPDATE backfill.runs SET change = (change::jsonb || '{"verify": {"values": true}}')::json`)
		b.Plan(t, 12)
		b.canary(t, 3, 12)
		b.pass(t, 2*time.Hour)
		b.opens(t)
	})
}

// TestWhatIsPlannedLateIsNoStall: a run that follows had to wait for others to commit, or the planner walked past very many rows.
func TestWhatIsPlannedLateIsNoStall(t *testing.T) {
	t.Parallel()
	b := stalls(t)
	b.Finish(t, 1, 2, 3, 4, 5, 6)
	b.pass(t, 2*time.Hour)
	b.Plan(t, 7)
	_, _, err := b.Ledger.Beat(t.Context(), "run-1", 0) // the planner's look
	must(t, err)
	b.GiveBack(t, 7, time.Hour)
	b.opens(t)
}

// TestAnApprovalAfterALongTime: the run that waited goes on as one that was let go on just now.
func TestAnApprovalAfterALongTime(t *testing.T) {
	t.Parallel()
	b := stalls(t)
	b.Plan(t, 12)
	b.canary(t, 3, 12)
	b.pass(t, time.Minute)
	b.beat(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "canary of 5%")
	b.pass(t, 48*time.Hour)
	_, err := b.Ledger.Unpause(t.Context(), "run-1", "ann", run.ForCanary)
	must(t, err)
	b.Exec(t, "UPDATE backfill.ledger SET held = false WHERE chunk = 4") // told from those that are held in what opens looks for
	b.opens(t)
}
