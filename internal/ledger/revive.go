package ledger

import (
	"context"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Revive brings back a run that was cancelled, has failed or lost its execution, from where its ledger stands: forward,
// or back where it was being rolled back. Failed chunks are tried again. Repeated by the same execution it changes
// nothing, also where the run has ended meanwhile: it may have been cancelled.
func (l *Ledger) Revive(ctx context.Context, id, execution string) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Run{}, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var state run.State
		var action, owner string
		var watched, swept bool
		err := tx.QueryRow(ctx, `SELECT state, action, execution, heartbeat > clock_timestamp() - $2::interval, undo_swept_at IS NOT NULL
			FROM backfill.runs WHERE run = $1 FOR UPDATE`, id, l.terms.Heartbeat).Scan(&state, &action, &owner, &watched, &swept)
		if err != nil || owner == execution {
			return err
		}
		to := onward(action)
		if refusal := revivable(id, state, to, watched); refusal != "" {
			return failure.New(failure.Invalid, "run %s is %s: %s", id, state, refusal)
		}
		if swept && to == run.RollingBack {
			return errSwept(id)
		}
		return revive(ctx, tx, id, execution, state, to)
	})
	if err != nil {
		return Run{}, l.reopening(ctx, "resume", id, err)
	}
	return l.Run(ctx, id)
}

// onward is the state in which a run of that action goes on.
func onward(action string) run.State {
	switch action {
	case "rollback":
		return run.RollingBack
	case "verify":
		return run.Verifying
	}
	return run.Running
}

// revivable says why a run cannot be resumed; "" where it can. A run that nobody watches has lost its execution. A pause may have been quicker than the resume.
func revivable(id string, state, to run.State, watched bool) string {
	_, legal := run.Transitions.Cause(state, to)
	switch {
	case state == run.Completed, state == run.RolledBack:
		return "there is nothing left to do"
	case state.Ended() && legal, state.Moves() && !watched:
		return ""
	case state == run.Pausing:
		return fmt.Sprintf("it was being paused when the resume came, and batches that are at work are finished first: wait until `backfill watch %[1]s` shows PAUSED, "+
			"then `backfill resume %[1]s` lets it go on", id)
	case state == run.Paused:
		return fmt.Sprintf("it was paused when the resume came, and its execution waits, so that no other is started: `backfill resume %s` lets it go on now, "+
			"as does the action resume of the control function", id)
	case state == run.Cancelling:
		return "it is ending; cancel it once more if nothing ends it, and resume it then"
	}
	return "it goes on, and its governor was heard of just now"
}

// revive keeps the state of a run that has only lost its execution.
func revive(ctx context.Context, tx pgx.Tx, id, execution string, state, to run.State) error {
	if !state.Ended() {
		to = state
		_, err := tx.Exec(ctx, `INSERT INTO backfill.changes (run, detail) SELECT run, CASE heartbeat WHEN 'epoch' THEN 'its execution was lost while it was paused; another one goes on'
				ELSE format('its execution was lost: nobody watched the run from %s UTC to %s UTC; another one goes on',
				to_char(heartbeat AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) END
			FROM backfill.runs WHERE run = $1`, id)
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE backfill.runs SET state = $2, execution = $3, reason = '', closes_as = NULL, ended_at = NULL,
		returns_to = CASE action WHEN 'rollback' THEN returns_to END, certificate = NULL,
		heartbeat = clock_timestamp(), resumed_at = clock_timestamp() WHERE run = $1`, id, to, execution)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE backfill.ledger SET state = 'PENDING', not_before = NULL, sent = send, updated_at = clock_timestamp()
		WHERE run = $1 AND state IN ('FAILED', 'PENDING') AND backfill.works($2, direction)`, id, to)
	return err
}
