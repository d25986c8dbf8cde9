package ledger

import (
	"context"
	"fmt"

	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Gap is a range between two chunks that the ledger knows. The chunks After+1 to Before-1 cover it.
type Gap struct {
	After  int64 // 0: the gap is where the run begins
	Before int64
	Range  keyset.Range
}

// Gaps lists the ranges before the last known chunk that no known chunk covers, above the one before, or below it where the run goes down.
func (l *Ledger) Gaps(ctx context.Context, id string) ([]Gap, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT after, chunk, CASE WHEN down THEN hi ELSE above END, CASE WHEN down THEN below ELSE lo END FROM (
			SELECT l.chunk, l.lo, l.hi, r.top IS NOT NULL AS down, lag(l.chunk, 1, 0::bigint) OVER w AS after, lag(l.hi) OVER w AS above, lag(l.lo, 1, r.top) OVER w AS below
			FROM backfill.ledger l JOIN backfill.runs r ON r.run = l.run WHERE l.run = $1 WINDOW w AS (ORDER BY l.chunk)) AS known
		WHERE chunk > after + 1 ORDER BY chunk`, id)
	if err != nil {
		return nil, fmt.Errorf("look for gaps of run %s: %w", id, postgres.Classify(err))
	}
	gaps, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g Gap, err error) {
		return g, row.Scan(&g.After, &g.Before, &g.Range.Lo, &g.Range.Hi)
	})
	if err != nil {
		return nil, fmt.Errorf("look for gaps of run %s: %w", id, postgres.Classify(err))
	}
	return gaps, nil
}

// Fill adds chunks that nobody has claimed. A chunk that is known by now stays as it is.
func (l *Ledger) Fill(ctx context.Context, id string, entries []Entry) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, e := range entries {
		batch.Queue(`INSERT INTO backfill.ledger (run, chunk, lo, hi, state, "position", held) SELECT $1, $2::bigint, $3::text[], $4::text[], $5::text,
			CASE $5::text WHEN 'COMPLETED' THEN $4::text[] END, NOT backfill.chosen($2::bigint, canary) FROM backfill.runs WHERE run = $1 ON CONFLICT DO NOTHING`, id, e.Chunk, e.Range.Lo, e.Range.Hi, e.State)
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("add %d chunks to run %s: %w", len(entries), id, postgres.Classify(err))
	}
	return nil
}

// WentBack notes that the database was restored to an older time: what was sent before counts as lost, so that the
// chunks that it lost run again. The reason is shown with the run.
func (l *Ledger) WentBack(ctx context.Context, id, reason string) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue("UPDATE backfill.runs SET reason = $2, resumed_at = clock_timestamp() WHERE run = $1 AND ended_at IS NULL", id, reason)
	batch.Queue("UPDATE backfill.ledger SET sent = send WHERE run = $1 AND state = 'PENDING' AND sent > send", id)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("note that the database of run %s went back: %w", id, postgres.Classify(err))
	}
	return nil
}
