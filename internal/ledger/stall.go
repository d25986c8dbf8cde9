package ledger

import (
	"context"
	"fmt"
	"strings"

	"backfill/internal/postgres"
)

// stalled begins the reason of a run that stands still.
const stalled = "stalled: "

// Stalled tells whether that was noted of the run.
func (p Progress) Stalled() bool { return strings.HasPrefix(p.Reason, stalled) }

// Stall notes that a run stands still, and why: once, in its reason, and so in its log.
func (l *Ledger) Stall(ctx context.Context, id, why string) error {
	return l.stand(ctx, id, `UPDATE backfill.runs SET reason = $2 || $3 WHERE run = $1 AND NOT starts_with(reason, $2)
		AND backfill.moves(state)`, stalled, why)
}

// Moves takes back that a run stands still: a row was handled.
func (l *Ledger) Moves(ctx context.Context, id string) error {
	return l.stand(ctx, id, `WITH moving AS (UPDATE backfill.runs SET reason = '' WHERE run = $1 AND starts_with(reason, $2)
			AND backfill.moves(state) RETURNING run)
		INSERT INTO backfill.changes (run, detail) SELECT run, 'no longer stalled' FROM moving`, stalled)
}

func (l *Ledger) stand(ctx context.Context, id, sql string, args ...any) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, sql, append([]any{id}, args...)...); err != nil {
		return fmt.Errorf("note whether run %s stands still: %w", id, postgres.Classify(err))
	}
	return nil
}
