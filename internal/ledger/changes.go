package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"
)

// newest are the last changes of a run, the oldest of them first, as JSON: what a screen holds. A reason may be long.
const newest = `SELECT coalesce(json_agg(c ORDER BY n), '[]') FROM (SELECT n, at, by, state, left(detail, 500) AS detail
	FROM backfill.changes WHERE run = $1 ORDER BY n DESC LIMIT 20) c`

// LeftBehind is what the log says of chunks whose planner died between commit and send.
const LeftBehind = "sent: planned before, and not put on the queue"

// Note writes down in the log of a run what happened to chunks of it, none named: to the run. What happens again and again
// is one line. A run that is unknown gets none.
func (l *Ledger) Note(ctx context.Context, id, what string, chunks []int64) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT backfill.note(run, $2, $3) FROM backfill.runs WHERE run = $1", id, what, chunks); err != nil {
		return fmt.Errorf("note in the log of run %s: %s: %w", id, what, postgres.Classify(err))
	}
	return nil
}
