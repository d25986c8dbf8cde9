package planner_test

import (
	"errors"
	"sync"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/planner"
	"backfill/internal/records"
	"backfill/internal/runtest"
)

// TestTwoPlannersThatCutAtTwoMoments: while a planner is about to commit its page, another one plans the same stretch
// of a table that has changed in between. Only one of the two cuts is ever sent.
func TestTwoPlannersThatCutAtTwoMoments(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string][]string{
		"nothing has changed":           {"SELECT"},
		"a row was inserted":            {"INSERT INTO counters VALUES (15, 0)"},
		"a row was deleted":             {"DELETE FROM counters WHERE id = 20"},
		"one went and one came":         {"INSERT INTO counters VALUES (15, 0)", "DELETE FROM counters WHERE id = 1050"},
		"so many went that one is gone": {"DELETE FROM counters WHERE id BETWEEN 20 AND 1100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 150, 6)
			other := b.another(t, b.DB.URL, 6)
			met := false
			b.Wire.Before = func(operation string) {
				if operation == "TransactWriteItems" && !met {
					met = true
					for _, edit := range edits {
						b.Exec(t, edit)
					}
					_, err := other.Handle(t.Context(), start(runtest.ID))
					must(t, err)
				}
			}
			_, err := b.planner.Handle(t.Context(), start(runtest.ID))
			if err != nil && (!errors.Is(err, records.ErrPlanMoved) || !failure.Is(err, failure.Transient)) {
				t.Fatal(err)
			}
			b.expectPlan(t, runtest.ID, len(b.planned(t, runtest.ID)), 1500, b.Queue.Take())
		})
	}
}

// TestManyPlannersAtOnce plan one run, while rows come and go and workers claim what was sent.
func TestManyPlannersAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, 3950, 8)
	b.begin(t)
	planners := []*planner.Planner{b.another(t, b.DB.URL, 8), b.another(t, b.DB.URL, 8), b.planner}
	sent := b.Queue.Take()
	for fresh, round := sent, 0; !b.Record(t).Plan.Closed; round++ {
		for _, message := range fresh {
			_, err := b.Ledger.Claim(t.Context(), message, "worker")
			must(t, err)
		}
		b.planAtOnce(t, planners, round)
		fresh = b.Queue.Take()
		sent = append(sent, fresh...)
		if round > 50 {
			t.Fatal("the plan does not come to its end")
		}
	}
	b.expectPlan(t, runtest.ID, len(b.planned(t, runtest.ID)), 39500, sent)
}

// planAtOnce has each of the planners make a step, while every 97th row is replaced.
func (b *bundle) planAtOnce(t *testing.T, planners []*planner.Planner, round int) {
	t.Helper()
	var all sync.WaitGroup
	for _, p := range planners {
		all.Go(func() {
			_, err := p.Handle(t.Context(), planner.Call{Step: "plan", Run: runtest.ID})
			if err != nil && !failure.Is(err, failure.Transient) { // two transactions at once may conflict, too
				t.Error(err)
			}
		})
	}
	b.Exec(t, "INSERT INTO counters SELECT 10 * g + 1, g FROM generate_series(1, 3900) g WHERE g % 97 = $1", round)
	b.Exec(t, "DELETE FROM counters WHERE id % 97 = $1 AND id < 39500", round)
	all.Wait()
}
