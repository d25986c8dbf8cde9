package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Conflict is a row that a rollback left alone, since it no longer held what the run wrote.
type Conflict struct {
	Chunk   int64        `json:"chunk"`
	Key     keyset.Point `json:"key"`
	Holds   []*string    `json:"holds"` // the columns that the run wrote, cut to 1000 characters; null: the row is gone
	FoundAt time.Time    `json:"found_at"`
}

// Conflicts lists the conflicts of a run, by chunk and key, after those that were listed before.
func (l *Ledger) Conflicts(ctx context.Context, id string, after int64, limit int) ([]Conflict, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT chunk, key, holds, found_at FROM backfill.conflicts WHERE run = $1
		ORDER BY chunk, key OFFSET $2 LIMIT $3`, id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the conflicts of run %s: %w", id, postgres.Classify(err))
	}
	conflicts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Conflict])
	if err != nil {
		return nil, fmt.Errorf("list the conflicts of run %s: %w", id, postgres.Classify(err))
	}
	return conflicts, nil
}
