package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/deadline"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Swept is what a sweep removed.
type Swept struct {
	Runs     int64 `json:"runs"`      // whose undo was kept long enough
	UndoRows int64 `json:"undo_rows"` // rows of backfill.undo, each a batch
	More     bool  `json:"more"`      // the time was over before everything was removed
}

const (
	// sweepRows bounds a transaction: an undo row is some 10 KB.
	sweepRows = 1000
	// sweepMargin is kept back for the answer.
	sweepMargin = 10 * time.Second
)

// Sweep removes undo and conflicts of runs that ended longer ago than keep. A run is marked first, so that nobody begins
// to roll back what is going away.
func (l *Ledger) Sweep(ctx context.Context, keep time.Duration) (Swept, error) {
	var swept Swept
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return swept, err
	}
	tag, err := conn.Exec(ctx, `UPDATE backfill.runs SET undo_swept_at = clock_timestamp()
		WHERE ended_at < clock_timestamp() - $1::interval AND undo_swept_at IS NULL`, keep)
	if err != nil {
		return swept, fmt.Errorf("mark runs whose undo was kept for %s: %w", keep, postgres.Classify(err))
	}
	swept.Runs = tag.RowsAffected()
	for {
		undo, rest, err := sweep(ctx, conn)
		if err != nil {
			return swept, fmt.Errorf("remove undo: %w", postgres.Classify(err))
		}
		swept.UndoRows += undo
		if undo+rest == 0 {
			return swept, nil
		}
		if deadline.Remaining(ctx) < sweepMargin {
			swept.More = true
			return swept, nil
		}
	}
}

// sweep removes some rows of both tables, and tells how many.
func sweep(ctx context.Context, conn *pgx.Conn) (undo, conflicts int64, err error) {
	for table, count := range map[string]*int64{"undo": &undo, "conflicts": &conflicts} {
		tag, err := conn.Exec(ctx, `DELETE FROM backfill.`+table+` WHERE ctid = ANY (ARRAY(SELECT u.ctid FROM backfill.`+table+` u
			JOIN backfill.runs r USING (run) WHERE r.undo_swept_at IS NOT NULL AND r.ended_at IS NOT NULL LIMIT $1))`, sweepRows)
		if err != nil {
			return undo, conflicts, err
		}
		*count = tag.RowsAffected()
	}
	return undo, conflicts, nil
}
