package ledger

import (
	"context"

	"backfill/internal/failure"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Retry brings back a run that has ended, as Revive does, and has its rejected rows tried again: their chunks are open again,
// those that are COMPLETED as well, and of these nothing but those rows. Repeated by the same execution it changes nothing.
func (l *Ledger) Retry(ctx context.Context, id, execution string) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Run{}, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var state run.State
		var action, owner string
		var rejected bool
		err := tx.QueryRow(ctx, `SELECT state, action, execution, EXISTS (SELECT FROM backfill.rejects j JOIN backfill.ledger l USING (run, chunk)
				WHERE run = r.run AND direction = 'forward') FROM backfill.runs r WHERE run = $1 FOR UPDATE OF r`, id).Scan(&state, &action, &owner, &rejected)
		if err != nil || owner == execution {
			return err
		}
		if refusal := retriable(state, action, rejected); refusal != "" {
			return failure.New(failure.Invalid, "run %s is %s: %s", id, state, refusal)
		}
		return retry(ctx, tx, id, execution, state)
	})
	if err != nil {
		return Run{}, l.reopening(ctx, "retry", id, err)
	}
	return l.Run(ctx, id)
}

// retriable says why nothing of a run can be tried again; "" where something can.
func retriable(state run.State, action string, rejected bool) string {
	switch {
	case state.Pauses():
		return "it is paused; `backfill resume` has its failed chunks tried again, rejected rows are tried again when it has ended"
	case !state.Ended():
		return "wait for its end, or cancel it, before its rows are tried again"
	case state == run.RolledBack:
		return "there is nothing left to retry"
	case action == "rollback":
		return "it is half rolled back; resume or repeat its rollback"
	case state == run.Completed && !rejected:
		return "there is nothing to retry: no chunk failed, and no row is rejected, or they were kept for as long as the stack says (UndoRetentionDays)"
	}
	return ""
}

func retry(ctx context.Context, tx pgx.Tx, id, execution string, state run.State) error {
	if err := revive(ctx, tx, id, execution, state, run.Running); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE backfill.rejects j SET due = true FROM backfill.ledger l
		WHERE j.run = $1 AND l.run = j.run AND l.chunk = j.chunk AND l.direction = 'forward'`, id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE backfill.ledger l SET state = 'PENDING', not_before = NULL, sent = send, reason = '', updated_at = clock_timestamp()
		WHERE run = $1 AND state = 'COMPLETED' AND direction = 'forward'
		AND EXISTS (SELECT FROM backfill.rejects j WHERE j.run = l.run AND j.chunk = l.chunk AND j.due)`, id)
	return err
}
