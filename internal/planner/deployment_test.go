package planner_test

import (
	"testing"

	"backfill/internal/run"
	"backfill/internal/turn"
)

// TestAPlanGoesOnWhenTheStackIsDeployedAnew: its planner is of a later version than the schema, and comes before any beat.
func TestAPlanGoesOnWhenTheStackIsDeployedAnew(t *testing.T) {
	t.Parallel()
	b := setup(t, 2450, 5)
	b.begin(t)
	b.claimed(t)
	b.Exec(t, "ALTER TABLE backfill.shares DROP COLUMN workers, DROP COLUMN error_budget")
	b.Exec(t, "DROP FUNCTION backfill.room")
	b.Exec(t, "UPDATE backfill.version SET version = 7")
	if got := b.plan(t); got.Next != turn.Beat || got.State != run.Running {
		t.Fatalf("%+v", got)
	}
	if planned := b.Record(t).Plan.Planned; planned != 10 {
		t.Fatalf("%d chunks are planned", planned)
	}
}
