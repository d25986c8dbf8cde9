package faults

import (
	"errors"
	"fmt"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/records"

	"github.com/jackc/pgx/v5"
)

// agreeing compares checkpoints with the ledger.
func (s *stack) agreeing(t *testing.T, id string) func([]records.Checkpoint) error {
	t.Helper()
	conn := s.db.Connect(t)
	return func(all []records.Checkpoint) error {
		for _, copied := range all {
			var scanned, affected int64
			var state chunk.State
			err := conn.QueryRow(t.Context(), "SELECT state, scanned, affected FROM backfill.ledger WHERE run = $1 AND chunk = $2",
				id, copied.Chunk).Scan(&state, &scanned, &affected)
			if errors.Is(err, pgx.ErrNoRows) && copied.State == chunk.Pending {
				continue // no worker had claimed it when its run was interrupted
			}
			if err != nil {
				return err
			}
			if copied.State != state || copied.Scanned != scanned || copied.Affected != affected {
				return fmt.Errorf("chunk %d is %s with %d rows of %d in the ledger, its checkpoint says %s, %d of %d",
					copied.Chunk, state, affected, scanned, copied.State, copied.Affected, copied.Scanned)
			}
		}
		return nil
	}
}

// number reads one number.
func number(t *testing.T, conn *pgx.Conn, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	must(t, conn.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}
