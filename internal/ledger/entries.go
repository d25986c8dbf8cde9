package ledger

import (
	"context"
	"fmt"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Entry is a chunk as the ledger holds it.
type Entry struct {
	Chunk    int64
	State    chunk.State
	Fence    int64
	Seq      int64
	Scanned  int64
	Affected int64
	Reason   string
	Range    keyset.Range
}

const entryColumns = "chunk, state, fence, seq, scanned, affected, reason, lo, hi"

// Entries reads chunks of a run by their numbers; those that were never claimed are not in the answer.
func (l *Ledger) Entries(ctx context.Context, id string, numbers []int64) ([]Entry, error) {
	return l.entries(ctx, id, "SELECT "+entryColumns+" FROM backfill.ledger WHERE run = $1 AND chunk = ANY ($2) ORDER BY chunk", numbers)
}

// Page reads the chunks of a run in their order, after one of them.
func (l *Ledger) Page(ctx context.Context, id string, after int64, limit int) ([]Entry, error) {
	return l.entries(ctx, id, "SELECT "+entryColumns+" FROM backfill.ledger WHERE run = $1 AND chunk > $2 ORDER BY chunk LIMIT $3", after, limit)
}

func (l *Ledger) entries(ctx context.Context, id, sql string, args ...any) ([]Entry, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, sql, append([]any{id}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read chunks of run %s: %w", id, postgres.Classify(err))
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Entry, err error) {
		err = row.Scan(&e.Chunk, &e.State, &e.Fence, &e.Seq, &e.Scanned, &e.Affected, &e.Reason, &e.Range.Lo, &e.Range.Hi)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read chunks of run %s: %w", id, postgres.Classify(err))
	}
	return entries, nil
}
