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

// Sweep removes undo, conflicts, rejects and the course over time of runs that ended longer ago than keep. A run is marked first, so that nobody begins
// to roll back what is going away, and told of before anything of it is removed: a sweep that dies is told again.
func (l *Ledger) Sweep(ctx context.Context, keep time.Duration, tell func(ctx context.Context, id string, at time.Time) error) (Swept, error) {
	var swept Swept
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return swept, err
	}
	tag, err := conn.Exec(ctx, `UPDATE backfill.runs SET undo_swept_at = clock_timestamp()
		WHERE ended_at < clock_timestamp() - $1::interval AND undo_swept_at IS NULL`, keep)
	if postgres.Raised(err, undefinedTable) { // no run has begun in this database yet
		return swept, nil
	}
	if err != nil {
		return swept, fmt.Errorf("mark runs whose undo was kept for %s: %w", keep, postgres.Classify(err))
	}
	swept.Runs = tag.RowsAffected()
	due, err := sweepable(ctx, conn)
	if err != nil {
		return swept, fmt.Errorf("look for undo to be removed: %w", postgres.Classify(err))
	}
	for _, r := range due {
		if err := tell(ctx, r.Run, r.SweptAt); err != nil {
			return swept, fmt.Errorf("tell that the undo of run %s is removed: %w", r.Run, err)
		}
		if err := swept.remove(ctx, conn, r.Run); err != nil || swept.More {
			return swept, err
		}
	}
	return swept, nil
}

// marked is a run that was marked, and of which something is left.
type marked struct {
	Run     string
	SweptAt time.Time
}

func sweepable(ctx context.Context, conn *pgx.Conn) ([]marked, error) {
	rows, err := conn.Query(ctx, `SELECT run, undo_swept_at FROM backfill.runs r WHERE undo_swept_at IS NOT NULL AND ended_at IS NOT NULL
		AND (EXISTS (SELECT FROM backfill.undo u WHERE u.run = r.run) OR EXISTS (SELECT FROM backfill.conflicts c WHERE c.run = r.run)
			OR EXISTS (SELECT FROM backfill.rejects j WHERE j.run = r.run) OR EXISTS (SELECT FROM backfill.course p WHERE p.run = r.run))
		ORDER BY undo_swept_at`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[marked])
}

// remove takes away what a run keeps, some rows at a time.
func (s *Swept) remove(ctx context.Context, conn *pgx.Conn, id string) error {
	if _, err := conn.Exec(ctx, "UPDATE backfill.ledger SET undo_bytes = 0 WHERE run = $1 AND undo_bytes > 0", id); err != nil {
		return fmt.Errorf("note that the undo of run %s is removed: %w", id, postgres.Classify(err))
	}
	for table, count := range map[string]*int64{"undo": &s.UndoRows, "conflicts": new(int64), "rejects": new(int64), "course": new(int64)} {
		for !s.More {
			tag, err := conn.Exec(ctx, `DELETE FROM backfill.`+table+` WHERE ctid = ANY (ARRAY(
				SELECT ctid FROM backfill.`+table+` WHERE run = $1 LIMIT $2))`, id, sweepRows)
			if err != nil {
				return fmt.Errorf("remove %s of run %s: %w", table, id, postgres.Classify(err))
			}
			if tag.RowsAffected() == 0 {
				break
			}
			*count += tag.RowsAffected()
			s.More = deadline.Remaining(ctx) < sweepMargin
		}
	}
	return nil
}
