package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"
)

// Round is how far a run has followed the rows that come behind its bound.
type Round struct {
	Number  int64 // 0: none yet
	At      time.Time
	Now     time.Time // the database's clock
	Bound   keyset.Point
	Chunks  int64 // that are in the round
	Written int64 // rows that they wrote
}

// Round reads the last one.
func (l *Ledger) Round(ctx context.Context, id string) (r Round, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return r, err
	}
	err = conn.QueryRow(ctx, `SELECT round, coalesce(round_at, started_at), clock_timestamp(), bound, count(chunk), coalesce(sum(affected), 0)::bigint
		FROM backfill.runs r LEFT JOIN backfill.ledger l ON l.run = r.run AND chunk > round_after WHERE r.run = $1 GROUP BY r.run`, id).
		Scan(&r.Number, &r.At, &r.Now, &r.Bound, &r.Chunks, &r.Written)
	if err != nil {
		return r, fmt.Errorf("read the round of run %s: %w", id, postgres.Classify(err))
	}
	return r, nil
}

// Follow begins the next round: up to a new bound, or to the same, which waits for those who write the table now. After is the number
// of chunks so far. False: somebody did it before, or the run does not go on. The reason is shown until the next round.
func (l *Ledger) Follow(ctx context.Context, id string, round int64, bound keyset.Point, after int64, reason string) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	tag, err := conn.Exec(ctx, `UPDATE backfill.runs SET round = $2, round_at = clock_timestamp(), bound = $3, round_after = $4, reason = $5,
		writers = backfill.writers(target::regclass) WHERE run = $1 AND round = $2 - 1 AND state = 'RUNNING'`, id, round, bound, after, reason)
	if err != nil {
		return false, fmt.Errorf("begin round %d of run %s: %w", round, id, postgres.Classify(err))
	}
	return tag.RowsAffected() == 1, nil
}
