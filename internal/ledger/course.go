package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"
	"backfill/internal/report"

	"github.com/jackc/pgx/v5"
)

// mark adds a point where the state or the reason (its figures left out) is another than at the last, or the last is older than a part of
// the run's time. Where there are as many as a report holds, the one goes without which the others are closest to even.
const mark = `WITH last AS (SELECT at, state, reason FROM backfill.course WHERE run = $1 ORDER BY at DESC LIMIT 1),
	added AS (INSERT INTO backfill.course (run, at, state, handled, looked, written, done, failed, workers, allowed, reason, ends_at)
		SELECT run, clock_timestamp(), $2, $3, $13, $4, $5, $6, $7, $8, left($9, $11), $10 FROM backfill.runs r WHERE run = $1 AND NOT EXISTS (SELECT FROM last
			WHERE last.state = $2 AND regexp_replace(last.reason, '[0-9.,]+', '', 'g') = regexp_replace(left($9, $11), '[0-9.,]+', '', 'g')
				AND at > clock_timestamp() - (clock_timestamp() - r.started_at) / $12::float8)
		ON CONFLICT DO NOTHING RETURNING 1)
	DELETE FROM backfill.course WHERE run = $1 AND EXISTS (SELECT FROM added) AND at = (SELECT at FROM (
		SELECT at, lead(at) OVER (ORDER BY at) - lag(at) OVER (ORDER BY at) AS gap, count(*) OVER () AS n FROM backfill.course WHERE run = $1) each
		WHERE n >= $12 AND gap IS NOT NULL ORDER BY gap, at LIMIT 1)`

// Mark notes how the run stands, for its report. What a crash takes back is told by the next: nothing here needs the disk.
func (l *Ledger) Mark(ctx context.Context, id string, p report.Point) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue("SELECT pg_catalog.set_config('synchronous_commit', 'off', true)")
	batch.Queue(mark, id, p.State, p.Handled, p.Written, p.Done, p.Failed, p.Workers, p.Allowed, p.Reason, p.EndsAt, report.MostReason, report.MostPoints, p.Looked)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("note how run %s stands: %w", id, postgres.Classify(err))
	}
	return nil
}
