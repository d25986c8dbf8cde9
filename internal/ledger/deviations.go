package ledger

import (
	"context"
	"fmt"

	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Deviation is a chunk in which the last look at its rows has left some that did not hold what they should.
type Deviation struct {
	Chunk     int64          `json:"chunk"`
	Lo        keyset.Point   `json:"lo"` // exclusive; null: from the first key
	Hi        keyset.Point   `json:"hi"` // inclusive
	Deviating int64          `json:"deviating"`
	Mended    int64          `json:"mended"` // of them written again
	Rejected  []keyset.Point `json:"-"`      // the first of its rows that the run has passed over
}

// Deviations lists such chunks in their order, after one of them, each with so many rejected rows at most.
func (l *Ledger) Deviations(ctx context.Context, id string, after, limit, rejects int64) ([]Deviation, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := conn.Query(ctx, `SELECT chunk, lo, hi, deviating, mended,
			coalesce((SELECT array_agg(key) FROM (SELECT key FROM backfill.rejects j WHERE j.run = l.run AND j.chunk = l.chunk ORDER BY key LIMIT $4) AS first), '{}')
		FROM backfill.ledger l WHERE run = $1 AND chunk > $2 AND state = 'COMPLETED' AND digest IS NOT NULL AND deviating > mended ORDER BY chunk LIMIT $3`,
		id, after, limit, rejects)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Deviation])
	if err != nil {
		return nil, fmt.Errorf("list the deviations of run %s: %w", id, postgres.Classify(err))
	}
	return found, nil
}

// Path is where the role of the stack looks for names, in their order: what stands in a definition without a schema is found there.
func (l *Ledger) Path(ctx context.Context) (schemas []string, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := conn.QueryRow(ctx, "SELECT current_schemas(false)::text[]").Scan(&schemas); err != nil {
		return nil, fmt.Errorf("read the search_path: %w", postgres.Classify(err))
	}
	return schemas, nil
}
