package governor_test

import (
	"testing"

	"backfill/internal/change"
	"backfill/internal/closing"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const divided = "chunk 2 failed: SQLSTATE 22012"

// failed is a run that pauses, one of whose chunks has failed, and which is PAUSED by that.
func failed(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.onFailure(t, change.Pause)
	b.Plan(t, 6)
	b.Finish(t, 1)
	b.Fail(t, 2, "SQLSTATE 22012")
	b.beat(t) // the sample after this one goes on with the pause
	got := b.beat(t)
	b.expect(t, got, turn.Pause, run.Paused, divided)
	if got.Wait != turn.Longest {
		t.Errorf("it waits %d s", got.Wait)
	}
	return b
}

// resume lets the run go on by its name, or as the end of another pause would; the record is not told.
func (b *bundle) resume(t *testing.T, meant run.For, want bool) {
	t.Helper()
	was, err := b.Ledger.Unpause(t.Context(), runtest.ID, "ann", meant)
	must(t, err)
	if was != want {
		t.Fatalf("lifted as %q: %v", meant, was)
	}
}

// TestAFailedChunkPausesTheRun where its definition says so. The log has the chunk and why; a resume has it tried again.
func TestAFailedChunkPausesTheRun(t *testing.T) {
	t.Parallel()
	b := failed(t)
	status := b.Record(t).Status
	if status.Pause == nil || status.Pause.For != run.ForFailure || status.Pause.Until != nil || status.Chunks.Failed != 1 {
		t.Fatalf("%+v, %+v", status.Pause, status.Chunks)
	}
	want := []run.Change{{State: run.Running}, {State: run.Pausing, Detail: divided}, {State: run.Paused, Detail: divided}}
	if diff := cmp.Diff(want, status.Changes, cmpopts.IgnoreFields(run.Change{}, "At")); diff != "" {
		t.Error(diff)
	}
	b.Queue.Take()
	b.resume(t, "", true)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	if diff := cmp.Diff([][2]int64{{2, 2}}, b.Queue.Numbers()[:1]); diff != "" {
		t.Error(diff)
	}
	b.Claim(t, 2, 2)
}

// TestNobodyElseEndsThePauseOfAFailure: a window that opens, the end of a pause of all, a person who pauses it as well.
func TestNobodyElseEndsThePauseOfAFailure(t *testing.T) {
	t.Parallel()
	b := failed(t)
	b.window(t, 0)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, divided)
	b.resume(t, run.ForWindow, false)
	ids, err := b.Ledger.PauseAll(t.Context(), runtest.Execution, "ann", "slow")
	must(t, err)
	paused, err := b.Ledger.Pause(t.Context(), runtest.ID, "ann", "mine")
	must(t, err)
	waiting, err := b.Ledger.PausedForAll(t.Context(), runtest.Execution)
	must(t, err)
	if paused || len(ids) > 0 || len(waiting) > 0 {
		t.Fatalf("paused anew: %v, %v; waiting for all: %v", paused, ids, waiting)
	}
	b.resume(t, run.ForAll, false)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, divided)
}

// TestAFailureIsMetWhenAnotherPauseEnds: the run is paused for it then, by its own reason.
func TestAFailureIsMetWhenAnotherPauseEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.onFailure(t, change.Pause)
	b.Plan(t, 6)
	b.window(t, 2)
	claim := b.Claim(t, 2, 1)
	b.beat(t)
	b.expect(t, b.beat(t), turn.Beat, run.Pausing, "outside of its windows")
	_, err := b.Ledger.Fail(t.Context(), claim, "SQLSTATE 22012")
	must(t, err)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "outside of its windows")
	b.window(t, 0)
	b.beat(t)
	b.beat(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, divided)
}

// TestAResumedFailureKnowsItsWindows: a person's word about the chunk is none about the hours.
func TestAResumedFailureKnowsItsWindows(t *testing.T) {
	t.Parallel()
	b := failed(t)
	b.window(t, 2)
	b.resume(t, "", true)
	b.beat(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "outside of its windows")
	b.resume(t, "", true)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
}

// TestAPausedFailureIsCancelledAndRolledBack, and the rollback of a run that pauses fails at a chunk as any other.
func TestAPausedFailureIsCancelledAndRolledBack(t *testing.T) {
	t.Parallel()
	b := failed(t)
	b.Exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) VALUES ($1, 1, 0, 0, 1, '')", runtest.ID)
	state, err := closing.New(b.Ledger, b.Records).Close(t.Context(), runtest.ID, run.Cancelled, "enough")
	must(t, err)
	if state != run.Cancelled {
		t.Fatalf("it is %s", state)
	}
	b.RollBack(t)
	b.expect(t, b.beat(t), turn.Beat, run.RollingBack, "")
	b.Exec(t, "UPDATE backfill.ledger SET state = 'FAILED', reason = 'SQLSTATE 23502' WHERE direction = 'back' AND chunk = 1")
	b.expect(t, b.beat(t), turn.End, run.Failed, "chunk 1 failed: SQLSTATE 23502")
}
