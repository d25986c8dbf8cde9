package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Skip notes chunks that need no worker as COMPLETED, in one transaction, and gives the numbers of those that it noted. A
// chunk that is known already stays as it is, and a run that is not worked on forward gets none. The run's row is locked
// first, so that a cancel or a rollback comes either before all of it or after.
func (l *Ledger) Skip(ctx context.Context, id string, entries []Entry) ([]int64, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var skipped []int64
	batch := &pgx.Batch{}
	for _, e := range entries {
		batch.Queue(`WITH open AS MATERIALIZED (SELECT run FROM backfill.runs WHERE run = $1 AND backfill.works(state, 'forward') FOR SHARE)
			INSERT INTO backfill.ledger (run, chunk, lo, hi, "position", state, scanned, reason)
			SELECT run, $2::bigint, $3::text[], $4::text[], $4::text[], 'COMPLETED', $5::bigint, $6::text FROM open
			ON CONFLICT DO NOTHING RETURNING chunk`, id, e.Chunk, e.Range.Lo, e.Range.Hi, e.Scanned, e.Reason).Query(func(rows pgx.Rows) error {
			noted, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			skipped = append(skipped, noted...)
			return err
		})
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("skip %d chunks of run %s: %w", len(entries), id, postgres.Classify(err))
	}
	return skipped, nil
}
