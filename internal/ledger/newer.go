package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Later is a run that began after another one, has a table in common with it, and wrote rows that are not rolled back.
type Later struct {
	Run     string
	Written int64 // rows
	Change  change.Change
}

// Newer lists the runs after a run that have one of its tables, the newest first. What each did to it its change tells.
func (l *Ledger) Newer(ctx context.Context, id string) ([]Later, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT n.run, written::bigint, n.change::text FROM backfill.runs r
		JOIN backfill.runs n ON (n.target IN (r.target, r.copies_into) OR n.copies_into IN (r.target, nullif(r.copies_into, ''))) AND n.run <> r.run AND n.started_at > r.started_at AND n.state <> 'ROLLED_BACK'
		CROSS JOIN LATERAL (SELECT sum(affected) AS written FROM backfill.ledger
			WHERE run = n.run AND state <> 'ROLLED_BACK' AND affected > 0) w
		WHERE r.run = $1 AND written > 0 ORDER BY n.started_at DESC`, id)
	if err != nil {
		return nil, fmt.Errorf("look for runs after %s: %w", id, postgres.Classify(err))
	}
	later, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Later, error) {
		var found Later
		var stored string
		if err := row.Scan(&found.Run, &found.Written, &stored); err != nil {
			return found, err
		}
		return found, json.Unmarshal([]byte(stored), &found.Change)
	})
	if err != nil {
		return nil, fmt.Errorf("look for runs after %s: %w", id, postgres.Classify(err))
	}
	return later, nil
}
