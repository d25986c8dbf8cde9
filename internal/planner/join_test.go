package planner_test

import (
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/runtest"
)

const fromStates = "name: states\ntable: counters\nfrom: {s: states}\njoin: s.state = counters.state\nset: {n: s.n}\nwhere: counters.state = 'old' AND s.n > 0\nchunk_rows: 1000\n"

// TestAJoinIsPlannedWhole: which rows are in scope may depend on the joined rows, so no chunk is skipped, however few match.
func TestAJoinIsPlannedWhole(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, "CREATE TABLE states (state text PRIMARY KEY, n int); INSERT INTO states VALUES ('old', 1), ('new', 2)")
		b := scattered(t, db, 20_000, thousands, partial)
		if sent := b.begun(t, fromStates); len(sent) != 20 {
			t.Fatalf("%d chunks were sent", len(sent))
		}
	})
}

// TestAJoinWithoutAnIndexIsRefused before anything is stored.
func TestAJoinWithoutAnIndexIsRefused(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, "CREATE TABLE states AS SELECT g::text AS state, g AS n FROM generate_series(1, 20000) g; ANALYZE states")
		b := scattered(t, db, 2_000, "false", onKey)
		_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, fromStates))
		if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "would read the whole of table public.states each time") {
			t.Fatal(err)
		}
	})
}
