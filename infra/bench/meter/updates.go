package meter

import (
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/ground"

	"github.com/jackc/pgx/v5"
)

// late is how long a session that stays open may keep its last counts to itself (PGSTAT_IDLE_INTERVAL, 10 s), and some.
const late = 15 * time.Second

// updates as Postgres has counted them.
type updates struct{ All, HOT int64 }

// await counts until so many updates are there. Those that are not by then are left out: HOT updates are a share of
// the counted ones.
func await(ctx context.Context, conn *pgx.Conn, least int64) (updates, error) {
	deadline := time.Now().Add(late)
	for {
		found, err := count(ctx, conn)
		if err != nil || found.All >= least || time.Now().After(deadline) {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// count reads the counts of now; those of this connection as well.
func count(ctx context.Context, conn *pgx.Conn) (found updates, err error) {
	if _, err = conn.Exec(ctx, "SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()"); err != nil {
		return found, fmt.Errorf("read the counts of updates: %w", err)
	}
	err = conn.QueryRow(ctx, "SELECT pg_stat_get_tuples_updated($1::regclass), pg_stat_get_tuples_hot_updated($1::regclass)",
		ground.Relation).Scan(&found.All, &found.HOT)
	if err != nil {
		return found, fmt.Errorf("read the counts of updates: %w", err)
	}
	return found, nil
}
