package governor_test

import (
	"testing"

	"backfill/internal/run"
	"backfill/internal/turn"
)

// TestABeatMarksHowTheRunStands, for its report; also when it is paused.
func TestABeatMarksHowTheRunStands(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, 1, 2, 3)
	b.beat(t)
	marked := func(state run.State) int64 {
		t.Helper()
		return b.Number(t, "SELECT count(*) FROM backfill.course WHERE state = $1 AND handled = 300 AND written = 297 AND done = 3 AND failed = 0 AND workers = 0 AND reason <> ''", state)
	}
	if marked(run.Running) == 0 || marked(run.Paused) != 0 {
		t.Fatal("the course has not what the beat has seen")
	}
	b.Exec(t, "UPDATE backfill.runs SET state = 'PAUSED', paused_at = clock_timestamp(), reason = 'night'")
	if b.beat(t); marked(run.Paused) == 0 {
		t.Fatal("the course does not tell of the pause")
	}
}

// TestABeatGoesOnWithoutACourse: a report is not worth a run.
func TestABeatGoesOnWithoutACourse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Exec(t, "DROP TABLE backfill.course")
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
}
