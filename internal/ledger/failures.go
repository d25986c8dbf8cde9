package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"
)

// Failures are the failed chunks of a run's direction.
type Failures struct {
	Count  int64
	First  []int64 // their numbers, at most 10
	Reason string  // of the first
}

// Failures reads them.
func (l *Ledger) Failures(ctx context.Context, id string) (f Failures, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return f, err
	}
	err = conn.QueryRow(ctx, `SELECT count(*), coalesce((array_agg(chunk ORDER BY chunk))[1:10], '{}'), coalesce((array_agg(reason ORDER BY chunk))[1], '')
		FROM backfill.ledger WHERE run = $1 AND state = 'FAILED'
		AND backfill.works((SELECT state FROM backfill.runs WHERE run = $1), direction)`, id).Scan(&f.Count, &f.First, &f.Reason)
	if err != nil {
		return f, fmt.Errorf("read failures of run %s: %w", id, postgres.Classify(err))
	}
	return f, nil
}
