package governor_test

import (
	"testing"

	"backfill/internal/run"
	"backfill/internal/turn"
)

// TestARunGoesOnWhenTheStackIsDeployedAnew: its governor is of a later version than the schema.
func TestARunGoesOnWhenTheStackIsDeployedAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.Claim(t, 1, 1)
	b.older(t)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	b.Finish(t, 2)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
}
