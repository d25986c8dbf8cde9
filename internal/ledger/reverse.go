package ledger

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Reverse begins a rollback of chunks of a run that has ended; none named means all of them. It takes the lock of the
// table and closes each chunk by its fence, so that no worker of before writes any more, in one transaction. Repeated
// by the same execution it changes nothing, also where the rollback has ended meanwhile.
func (l *Ledger) Reverse(ctx context.Context, id, execution string, chunks []int64) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Run{}, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var state run.State
		var meant run.For
		var owner string
		var swept bool
		err := tx.QueryRow(ctx, "SELECT state, paused_for, execution, undo_swept_at IS NOT NULL FROM backfill.runs WHERE run = $1 FOR UPDATE",
			id).Scan(&state, &meant, &owner, &swept)
		if err != nil || owner == execution {
			return err
		}
		if swept {
			return errSwept(id)
		}
		if _, legal := run.Transitions.Cause(state, run.RollingBack); !legal || !state.Ended() {
			return failure.New(failure.Invalid, "run %s is %s: %s", id, state, beforeRollback(id, state, meant))
		}
		return reverse(ctx, tx, id, execution, chunks)
	})
	if err != nil {
		return Run{}, l.reopening(ctx, "roll back", id, err)
	}
	return l.Run(ctx, id)
}

func errSwept(id string) error {
	return failure.New(failure.Invalid, "run %s has no undo any more: it was kept for as long as the stack says (UndoRetentionDays)", id)
}

// beforeRollback says what to do with a run that cannot be rolled back in its state. The command ends a canary that waits by itself, as soon as the
// run's record says that it waits, which may be later than this.
func beforeRollback(id string, state run.State, meant run.For) string {
	const ended = ", and roll it back when it has ended"
	switch {
	case state == run.RolledBack:
		return "there is nothing left to roll back"
	case state == run.RollingBack:
		return "it is being rolled back already"
	case state == run.Cancelling:
		return "it is ending; roll it back when it has ended"
	case state.Pauses() && meant == run.ForCanary:
		return fmt.Sprintf("its canary is done, and waits for an approval: give `backfill rollback %s` once more, which ends it first, or cancel it first%s", id, ended)
	case state.Pauses():
		return "it has not ended, only paused: cancel it first" + ended
	}
	return "it goes on: cancel it first" + ended
}

func reverse(ctx context.Context, tx pgx.Tx, id, execution string, chunks []int64) error {
	if err := known(ctx, tx, id, chunks); err != nil {
		return err
	}
	// A rollback that was cancelled and goes on still leads to where the first one came from.
	_, err := tx.Exec(ctx, `UPDATE backfill.runs SET state = $2, action = 'rollback', execution = $3, reason = '', closes_as = NULL, certificate = NULL,
		returns_to = CASE action WHEN 'rollback' THEN coalesce(returns_to, state) ELSE state END,
		ended_at = NULL, heartbeat = clock_timestamp(), resumed_at = clock_timestamp() WHERE run = $1`, id, run.RollingBack, execution)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE backfill.ledger l SET direction = 'back', fence = fence + 1, owner = '', lease_until = NULL, not_before = NULL,
		reason = '', sent = send, updated_at = clock_timestamp(), state = CASE WHEN EXISTS (SELECT FROM backfill.undo u
			WHERE u.run = l.run AND u.chunk = l.chunk) THEN 'PENDING' ELSE 'ROLLED_BACK' END
		WHERE run = $1 AND state <> 'ROLLED_BACK' AND ($2::bigint[] IS NULL OR chunk = ANY ($2))`, id, chunks)
	if err != nil {
		return err
	}
	// What a chunk had left to do. It never goes forward again.
	_, err = tx.Exec(ctx, `DELETE FROM backfill.stripes WHERE run = $1 AND ($2::bigint[] IS NULL OR chunk = ANY ($2))`, id, chunks)
	return err
}

// known refuses chunks that the run does not have.
func known(ctx context.Context, tx pgx.Tx, id string, chunks []int64) error {
	var missing string
	var more int64
	err := tx.QueryRow(ctx, `SELECT coalesce(array_to_string((array_agg(n ORDER BY n))[1:5], ', '), ''), greatest(count(*) - 5, 0)
		FROM unnest($2::bigint[]) AS n WHERE NOT EXISTS (SELECT FROM backfill.ledger l WHERE l.run = $1 AND l.chunk = n)`,
		id, chunks).Scan(&missing, &more)
	if err != nil || missing == "" {
		return err
	}
	if more > 0 {
		missing += " and " + figure.Count(more) + " more"
	}
	return failure.New(failure.Invalid, "run %s has no chunk %s, or no worker ever claimed it", id, missing)
}

// reopening puts an error of bringing back a run in words. A refusal names the run itself.
func (l *Ledger) reopening(ctx context.Context, verb, id string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return failure.New(failure.Invalid, "run %s: %w", id, ErrNoRun)
	}
	if failure.Is(err, failure.Invalid) {
		return err
	}
	if held(err) {
		r, err := l.Run(ctx, id)
		if err != nil {
			return err
		}
		return l.busy(ctx, r)
	}
	return fmt.Errorf("%s run %s: %w", verb, id, postgres.Classify(err))
}

// Restored ends a rollback whose chunks are all done: as ROLLED_BACK, or where a part of the run was asked for as what
// it was before. It gives the run as it is then.
func (l *Ledger) Restored(ctx context.Context, id string) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Run{}, err
	}
	_, err = conn.Exec(ctx, `UPDATE backfill.runs r SET ended_at = clock_timestamp(),
		state = CASE WHEN whole THEN 'ROLLED_BACK' ELSE coalesce(r.returns_to, 'CANCELLED') END,
		action = CASE WHEN whole THEN r.action ELSE 'start' END,
		reason = format('chunks rolled back: %s of %s, rows restored: %s, conflicts: %s',
			to_char(undone, 'FM999,999,999,999,990'), to_char(chunks, 'FM999,999,999,999,990'),
			to_char(restored, 'FM999,999,999,999,990'), to_char(conflicts, 'FM999,999,999,999,990'))
		FROM (SELECT count(*) AS chunks, count(*) FILTER (WHERE state = 'ROLLED_BACK') AS undone,
				coalesce(bool_and(state = 'ROLLED_BACK'), true) AS whole,
				coalesce(bool_or(direction = 'back' AND state <> 'ROLLED_BACK'), false) AS open,
				coalesce(sum(restored), 0) AS restored, coalesce(sum(conflicts), 0) AS conflicts
			FROM backfill.ledger WHERE run = $1) l
		WHERE r.run = $1 AND r.state = 'ROLLING_BACK' AND NOT open`, id)
	if err != nil {
		return Run{}, fmt.Errorf("end the rollback of run %s: %w", id, postgres.Classify(err))
	}
	return l.Run(ctx, id)
}
