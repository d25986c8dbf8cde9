package planner_test

import (
	"context"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/transform"
)

func init() {
	transform.Register("zero", "1", func(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
		for _, row := range rows {
			changes = append(changes, row.Change().Set("n", transform.Int(0)))
		}
		return changes, nil
	})
}

// TestANewerTransformStandsInTheWay: it writes the column as a set does.
func TestANewerTransformStandsInTheWay(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.begin(t)
	b.ends(t)
	b.follow(t, strings.Replace(increment, "set: {n: n + 1}", "transform: {function: zero, writes: [n]}", 1), "COMPLETED", 7)
	for _, action := range []string{"resume", "rollback"} {
		if _, err := b.planner.Handle(t.Context(), errand(action)); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "7 rows of column n") {
			t.Errorf("%s: %v", action, err)
		}
	}
}
