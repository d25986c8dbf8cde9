package boundary_test

import (
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
)

// TestNoSnapshotIsHeldBetweenWindows: else dead rows could not be pruned while a planner waits for workers.
func TestNoSnapshotIsHeldBetweenWindows(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, "CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)")
		walker, beside, looked := db.Connect(t), db.Connect(t), 0
		c := change.Change{Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: 10}
		for _, c.Order = range keyset.Orders() {
			cutAll(t, walker, c, 3, func() {
				var xmin, state string
				if err := beside.QueryRow(t.Context(), "SELECT coalesce(backend_xmin::text, ''), state FROM pg_stat_activity WHERE pid = $1",
					walker.PgConn().PID()).Scan(&xmin, &state); err != nil {
					t.Fatal(err)
				}
				if looked++; xmin != "" || state != "idle" {
					t.Errorf("between two windows the walk is %s, with a snapshot of %q", state, xmin)
				}
			})
		}
		if looked < 2*3 {
			t.Errorf("looked %d times", looked)
		}
	})
}
