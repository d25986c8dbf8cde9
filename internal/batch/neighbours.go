package batch

import (
	"context"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// nearby is how many keys are looked at: they fill some pages of most tables, and are a few of each partition where there are many.
const nearby = 500

// Neighbours looks at the keys that come next above from: how many they are, and on how many pages their rows lie.
func Neighbours(ctx context.Context, conn *pgx.Conn, c change.Change, from keyset.Point) (keys, pages int64, err error) {
	near := statement.Neighbours(c, from, nearby)
	if err := conn.QueryRow(ctx, near.SQL, near.Args...).Scan(&keys, &pages); err != nil {
		return 0, 0, fmt.Errorf("look where the next keys of %s lie: %w", c.Table, postgres.Classify(err))
	}
	return keys, pages, nil
}
