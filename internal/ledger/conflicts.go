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

// Conflicts visits the conflicts of a run, by chunk and key, after those that were visited before, until visit says that it
// has enough. They are not collected: a page of them may be larger than the memory of a function.
func (l *Ledger) Conflicts(ctx context.Context, id string, after, limit int64, visit func(Conflict) (enough bool)) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	rows, _ := conn.Query(ctx, `SELECT chunk, key, holds, found_at FROM backfill.conflicts WHERE run = $1
		ORDER BY chunk, key OFFSET $2 LIMIT $3`, id, after, limit) // its error is that of the rows
	defer rows.Close()
	for enough := false; !enough && rows.Next(); {
		found, err := pgx.RowToStructByPos[Conflict](rows)
		if err != nil {
			return fmt.Errorf("list the conflicts of run %s: %w", id, postgres.Classify(err))
		}
		enough = visit(found)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list the conflicts of run %s: %w", id, postgres.Classify(err))
	}
	return nil
}
