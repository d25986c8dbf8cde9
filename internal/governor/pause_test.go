package governor_test

import (
	"testing"

	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// pause pauses the run in the ledger; the record is not told.
func (b *bundle) pause(t *testing.T) {
	t.Helper()
	paused, err := b.Ledger.Pause(t.Context(), runtest.ID, "ann", "paused by ann")
	must(t, err)
	if !paused {
		t.Fatal("it is not paused")
	}
}

// TestAPauseIsWatchedUntilNobodyWorks: then the segment ends, and the state machine waits.
func TestAPauseIsWatchedUntilNobodyWorks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.Finish(t, 1)
	b.GiveBack(t, 2, 0)
	claim := b.Claim(t, 3, 1)
	b.pause(t)
	b.expect(t, b.beat(t), turn.Beat, run.Pausing, "paused by ann")
	_, err := b.Ledger.Release(t.Context(), claim, 0, "run run-1 is PAUSING")
	must(t, err)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "paused by ann")
	if sent := b.Queue.Take(); len(sent) > 0 {
		t.Fatalf("sent while paused: %+v", sent)
	}
	status := b.Record(t).Status
	if status.Pause == nil || status.Concurrency != 0 || status.Rate != 0 || status.ETA != nil || status.Throttle.Reason != "paused by ann" {
		t.Fatalf("%+v", status)
	}
}

// TestAPausedRunSendsAgainWhenItGoesOn: what was given back, and what nobody has claimed.
func TestAPausedRunSendsAgainWhenItGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 4)
	b.Finish(t, 1)
	b.GiveBack(t, 2, 0)
	b.pause(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "paused by ann")
	_, err := b.Ledger.Unpause(t.Context(), runtest.ID, "ann", "") // the record is not told
	must(t, err)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	if diff := cmp.Diff([][2]int64{{2, 2}, {3, 2}, {4, 2}}, b.Queue.Numbers()); diff != "" {
		t.Fatal(diff)
	}
	if status := b.Record(t).Status; status.Pause != nil {
		t.Fatalf("%+v", status.Pause)
	}
}

// TestAPauseComesFirst: before the end of a run that is done, before the failure of a chunk, and before a new segment.
func TestAPauseComesFirst(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(b *bundle){
		"every chunk is finished": func(b *bundle) {
			b.Plan(t, 12)
			b.Finish(t, all...)
		},
		"a failed chunk": func(b *bundle) {
			b.Plan(t, 6)
			b.Fail(t, 2, "SQLSTATE 22012")
		},
		"nothing is planned": func(*bundle) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			before(b)
			b.pause(t)
			b.expect(t, b.beatOf(t, turn.Turn{Run: runtest.ID, Beat: 399, Budget: 400}), turn.Pause, run.Paused, "paused by ann")
		})
	}
}

func TestARunThatIsDoneCompletesAfterItsPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, all...)
	b.pause(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "paused by ann")
	_, err := b.Ledger.Unpause(t.Context(), runtest.ID, "ann", "")
	must(t, err)
	b.expect(t, b.beat(t), turn.End, run.Completed, "")
}
