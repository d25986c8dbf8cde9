package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"
)

// newest are the last changes of a run, the oldest of them first, as JSON: what a screen holds. A reason may be long.
const newest = `SELECT coalesce(json_agg(c ORDER BY n), '[]') FROM (SELECT n, at, by, state, left(detail, 500) AS detail
	FROM backfill.changes WHERE run = $1 ORDER BY n DESC LIMIT 20) c`

// Note writes into a run's log what was changed that is no state.
func (l *Ledger) Note(ctx context.Context, id, by, detail string) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "INSERT INTO backfill.changes (run, by, detail) VALUES ($1, $2, $3)", id, by, detail); err != nil {
		return fmt.Errorf("note a change of run %s: %w", id, postgres.Classify(err))
	}
	return nil
}
