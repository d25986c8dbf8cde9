package contest

import (
	"testing"
	"time"

	"backfill/infra/bench/contender"
	"backfill/infra/bench/report"
	"backfill/internal/pgtest"
)

const rows = 2_500

// TestEveryContenderLeavesTheTableRight: the content is checked after each leg.
func TestEveryContenderLeavesTheTableRight(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		groups, err := Plan(true, nil, []string{"update", "loop", "pgroll", "direct", "plain", "undo"}, []int{2})
		must(t, err)
		figures := hold(t, db, Contest{Groups: groups, Rounds: 1})
		if len(figures) != 3*8 {
			t.Fatalf("%d figures", len(figures))
		}
		for _, f := range figures {
			nothing, undo := f.Leg == contender.Again, f.Leg == contender.Undo
			if (f.Workers > 0) != (f.Batches != nil) {
				t.Errorf("task %s, %s by %d workers: batches %v", f.Task, f.Leg, f.Workers, f.Batches)
			}
			if f.Seconds <= 0 || f.WAL <= 0 || nothing != (f.Updates < rows) || undo != (f.Undo > 0) {
				t.Errorf("task %s: %+v", f.Task, f)
			}
		}
	})
}

// TestUsersBeside: that no update of theirs is lost is checked with the content.
func TestUsersBeside(t *testing.T) {
	groups := []Group{Group{Task: task("value"), Beside: true, First: true, Contenders: named("update", "undo")}.manned([]int{1})}
	for _, f := range hold(t, pgtest.Newest(t), Contest{Groups: groups, Rounds: 1}) {
		if f.Users == nil || f.Users.Written == 0 {
			t.Errorf("%s: %+v", f.Leg, f.Users)
		}
	}
}

// TestOnlyPlainHasNoPasses: nothing else of the two is different.
func TestOnlyPlainHasNoPasses(t *testing.T) {
	place, err := Open(t.Context(), pgtest.Newest(t).URL)
	must(t, err)
	t.Cleanup(place.Ground.Close)
	for name, want := range map[string]int{"plain": 1, "direct": 16} {
		table, err := place.Ground.Make(t.Context(), task("value"), rows)
		must(t, err)
		legs, err := named(name)[0].Crews([]int{1})[0].Enter(t.Context(), table)
		must(t, err)
		must(t, legs[0].Work(t.Context()))
		var passes int
		must(t, table.Conn.QueryRow(t.Context(), "SELECT passes FROM backfill.ledger").Scan(&passes))
		if passes != want {
			t.Errorf("%s: %d passes", name, passes)
		}
	}
}

func TestPlanningChangesNoRow(t *testing.T) {
	groups := []Group{{Task: task("value"), Planning: true, Contenders: named("walk", "planner")}}
	figures := hold(t, pgtest.Newest(t), Contest{Groups: groups, Rounds: 1})
	if len(figures) != 3 {
		t.Fatalf("%d figures", len(figures))
	}
	for _, f := range figures {
		if (f.Workers > 0) != (f.Batches != nil) {
			t.Errorf("task %s, %s by %d workers: batches %v", f.Task, f.Leg, f.Workers, f.Batches)
		}
		if f.Seconds <= 0 || f.Updates != 0 || !f.Planning || (f.Leg == contender.Start) != (f.First > 0) {
			t.Errorf("%+v", f)
		}
	}
}

func TestNoRoundBeginsBeyondTheLimit(t *testing.T) {
	groups := []Group{{Task: task("new"), Contenders: named("update")}}
	figures := hold(t, pgtest.Newest(t), Contest{Groups: groups, Rounds: 3, Limit: time.Nanosecond})
	if len(figures) != 1 {
		t.Fatalf("%d figures", len(figures))
	}
}

func hold(t *testing.T, db pgtest.Database, c Contest) []report.Figure {
	t.Helper()
	place, err := Open(t.Context(), db.URL)
	must(t, err)
	t.Cleanup(place.Ground.Close)
	c.Places, c.Rows, c.Say = []Place{place}, rows, t.Logf
	figures, rounds, err := c.Run(t.Context())
	must(t, err)
	if rounds != 1 {
		t.Fatalf("%d rounds", rounds)
	}
	return figures
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
