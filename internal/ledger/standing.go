package ledger

import (
	"context"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/postgres"
	"backfill/internal/statement"
)

// Current tells whether the schema is there and of this version, without making it.
func (l *Ledger) Current(ctx context.Context) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	current, err := version(ctx, conn)
	return current == Version, err
}

// Holder names the run that holds a table, "" where none does.
func (l *Ledger) Holder(ctx context.Context, table change.Table) (string, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return "", err
	}
	var holder string
	err = conn.QueryRow(ctx, "SELECT coalesce((SELECT run FROM backfill.runs WHERE target = $1 AND ended_at IS NULL), '')",
		statement.Table(table)).Scan(&holder)
	if postgres.Raised(err, undefinedTable) { // no run has begun in this database yet
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask which run holds %s: %w", table, postgres.Classify(err))
	}
	return holder, nil
}
