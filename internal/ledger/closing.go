package ledger

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Move brings a run from one state to the next along the table of legal transitions. It tells whether it did; false
// means that the run is elsewhere by now, or already there.
func (l *Ledger) Move(ctx context.Context, id string, from, to run.State) (bool, error) {
	if _, legal := run.Transitions.Cause(from, to); !legal {
		return false, failure.New(failure.Permanent, "run %s: %s to %s is no legal change", id, from, to)
	}
	return l.change(ctx, id, to, `UPDATE backfill.runs SET state = $2, reason = '', closes_as = NULL,
		ended_at = CASE WHEN $3 THEN clock_timestamp() END WHERE run = $1 AND state = $4`, to.Ended(), from)
}

// Close makes a run CANCELLING, on the way to FAILED or CANCELLED: no batch starts any more. A run that belongs to
// another execution by now is left alone.
func (l *Ledger) Close(ctx context.Context, id, execution string, as run.State, reason string) (bool, error) {
	return l.change(ctx, id, run.Cancelling, `UPDATE backfill.runs SET state = $2, reason = $3, closes_as = $4
		WHERE run = $1 AND state = ANY ($5) AND execution = $6`, reason, as, run.Transitions.Sources(run.Cancelling), execution)
}

func (l *Ledger) change(ctx context.Context, id string, to run.State, sql string, args ...any) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	tag, err := conn.Exec(ctx, sql, append([]any{id, to}, args...)...)
	if err != nil {
		return false, fmt.Errorf("bring run %s to %s: %w", id, to, postgres.Classify(err))
	}
	return tag.RowsAffected() == 1, nil
}

// Finish ends a run that is CANCELLING as soon as no lease lives, and tells the state and reason that it has then. Where it was its verification
// that was closed, it is COMPLETED as before, and the reason says what became of that.
// The look at a canary begins anew when the run is resumed: its rows may be others by then.
// An expired lease is taken away by the fence first: its worker may still be in a transaction, which this waits for.
func (l *Ledger) Finish(ctx context.Context, id string) (state run.State, reason string, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return "", "", err
	}
	if err := takeExpired(ctx, conn, id, run.Cancelling, "run closed"); err != nil {
		return "", "", fmt.Errorf("end run %s: %w", id, err)
	}
	_, err = conn.Exec(ctx, `WITH ended AS (UPDATE backfill.runs r SET ended_at = clock_timestamp(),
				state = CASE action WHEN 'verify' THEN 'COMPLETED' ELSE r.closes_as END, action = CASE action WHEN 'verify' THEN 'start' ELSE action END,
				reason = CASE action WHEN 'verify' THEN $2 || reason ELSE reason END
			WHERE r.run = $1 AND r.state = 'CANCELLING'
			AND NOT EXISTS (SELECT FROM backfill.ledger l WHERE l.run = r.run AND l.state = 'PROCESSING') RETURNING run, canary)
		`+leaveVerification("l.state = 'COMPLETED' AND e.canary = 0")+` FROM ended e WHERE l.run = e.run AND l.direction = 'verify'`, id, run.Unverified)
	if err != nil {
		return "", "", fmt.Errorf("end run %s: %w", id, postgres.Classify(err))
	}
	return standingOf(ctx, conn, id)
}

// takeExpired takes leases that ran out away from a run in that state: their chunks are given back, and the run's log says so.
func takeExpired(ctx context.Context, conn *pgx.Conn, id string, state run.State, reason string) error {
	_, err := conn.Exec(ctx, `WITH taken AS (UPDATE backfill.ledger SET state = 'PENDING', fence = fence + 1, lease_until = NULL, reason = $3
			WHERE run = $1 AND state = 'PROCESSING' AND lease_until <= clock_timestamp()
			AND (SELECT state FROM backfill.runs WHERE run = $1) = $2 RETURNING chunk)
		SELECT backfill.note($1, 'taken back: `+leaseExpired+`', array_agg(chunk)) FROM taken HAVING count(*) > 0`, id, state, reason)
	return postgres.Classify(err)
}

// standingOf reads the state and the reason of a run.
func standingOf(ctx context.Context, conn *pgx.Conn, id string) (state run.State, reason string, err error) {
	err = conn.QueryRow(ctx, "SELECT state, reason FROM backfill.runs WHERE run = $1", id).Scan(&state, &reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", failure.New(failure.Invalid, "run %s: %w", id, ErrNoRun)
	}
	return state, reason, postgres.Classify(err)
}
