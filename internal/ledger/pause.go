package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"backfill/internal/failure"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// pauses makes runs PAUSING: $2 is why, $3 who, $4 for what, $5 until when, $6 the states that can be paused. A run that is
// paused already is paused anew where that was for one of $7. What follows says which runs.
const pauses = `UPDATE backfill.runs SET state = CASE state WHEN 'PAUSED' THEN state ELSE 'PAUSING' END, reason = $2, paused_by = $3, acted_by = $3,
	paused_for = $4, paused_until = $5,
	paused_at = CASE WHEN state IN ('PAUSING', 'PAUSED') THEN paused_at ELSE clock_timestamp() END
	WHERE ended_at IS NULL AND (state = ANY ($6) OR state IN ('PAUSING', 'PAUSED') AND paused_for = ANY ($7)) AND `

// over are the pauses whose place one of each kind takes: a person's word goes over a window, a run's name over all. None
// takes the place of a pause for a failure, which only the run's name lifts, or of one for a canary, which an approval lifts.
var over = map[run.For][]run.For{run.ForRun: {run.ForAll, run.ForWindow}, run.ForAll: {run.ForAll, run.ForWindow}, run.ForWindow: {}, run.ForFailure: {}, run.ForCanary: {}}

// Pause makes a run PAUSING: no batch starts any more. It tells whether it did; false where the run is in a state that
// cannot be paused, or was paused by its name already.
func (l *Ledger) Pause(ctx context.Context, id, by, reason string) (bool, error) {
	return l.pause(ctx, id, by, reason, run.ForRun, nil, "")
}

// PauseUntil makes a run PAUSING until its next window.
func (l *Ledger) PauseUntil(ctx context.Context, id, reason string, until time.Time) (bool, error) {
	return l.pause(ctx, id, "", reason, run.ForWindow, &until, "")
}

// PauseFailed makes a run PAUSING of which a chunk has failed, unless a person has had it tried again meanwhile.
func (l *Ledger) PauseFailed(ctx context.Context, id, reason string) (bool, error) {
	return l.pause(ctx, id, "", reason, run.ForFailure, nil, " AND EXISTS (SELECT FROM backfill.ledger WHERE run = $1 AND state = 'FAILED')")
}

// pause takes what has to hold beside the state, as SQL.
func (l *Ledger) pause(ctx context.Context, id, by, reason string, meant run.For, until *time.Time, holds string) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	tag, err := conn.Exec(ctx, pauses+"run = $1"+holds, id, reason, by, meant, until, run.Transitions.Sources(run.Pausing), over[meant])
	if err != nil {
		return false, fmt.Errorf("pause run %s: %w", id, postgres.Classify(err))
	}
	return tag.RowsAffected() == 1, nil
}

// PauseAll makes every run PAUSING that has not ended and whose execution's ARN begins like that, in one statement. It
// lists the runs that are paused by it, now or before.
func (l *Ledger) PauseAll(ctx context.Context, executions, by, reason string) ([]string, error) {
	return l.list(ctx, "pause all runs", pauses+"starts_with(execution, $1) RETURNING run",
		executions, reason, by, run.ForAll, nil, run.Transitions.Sources(run.Pausing), over[run.ForAll])
}

// PausedForAll lists the runs that PauseAll has paused, and nobody has let go on since; and those that are not paused, but
// whose execution waits still: whoever let them go on died before it woke them.
func (l *Ledger) PausedForAll(ctx context.Context, executions string) ([]string, error) {
	return l.list(ctx, "list the runs that are paused", `SELECT run FROM backfill.runs WHERE starts_with(execution, $1)
		AND CASE WHEN state IN ('PAUSING', 'PAUSED') THEN paused_for = $2 ELSE waiting IS NOT NULL END`, executions, run.ForAll)
}

// list collects the names of runs. There is none where the schema is not made yet.
func (l *Ledger) list(ctx context.Context, what, sql string, args ...any) ([]string, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := conn.Query(ctx, sql, args...) // its error is that of the rows
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if postgres.Raised(err, undefinedTable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, postgres.Classify(err))
	}
	slices.Sort(ids)
	return ids, nil
}

// Rest brings a run that is PAUSING to PAUSED as soon as no lease lives, and tells the state and reason that it has then.
// As in Finish, an expired lease is taken away by the fence first.
func (l *Ledger) Rest(ctx context.Context, id string) (run.State, string, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return "", "", err
	}
	if err := takeExpired(ctx, conn, id, run.Pausing, "lease expired"); err != nil {
		return "", "", fmt.Errorf("pause run %s: %w", id, err)
	}
	_, err = l.change(ctx, id, run.Paused, `UPDATE backfill.runs r SET state = $2 WHERE r.run = $1 AND r.state = 'PAUSING'
		AND NOT EXISTS (SELECT FROM backfill.ledger l WHERE l.run = r.run AND l.state = 'PROCESSING')`)
	if err != nil {
		return "", "", err
	}
	return standingOf(ctx, conn, id)
}

// Orphan notes of a paused run that its execution is gone. Its heartbeat stays stale when it is let go on, so that another execution
// may take it over at once.
func (l *Ledger) Orphan(ctx context.Context, id, execution string) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `UPDATE backfill.runs SET heartbeat = 'epoch' WHERE run = $1 AND execution = $2 AND state IN ('PAUSING', 'PAUSED')`, id, execution)
	if err != nil {
		return fmt.Errorf("note that the execution of run %s is gone: %w", id, postgres.Classify(err))
	}
	return nil
}

// Unpause lets a run go on that is paused, or on its way there, forward or back. Chunks that were given back are sent
// again at once, and messages that were sent before count as lost: workers have consumed some of them meanwhile. It tells
// whether the run was paused, and for that; "" stands for a person's word, which ends any pause but the one that waits for an approval; run.ForCanary is that approval. Outside of its windows the run goes on until the next one,
// and chunks that failed are tried again, as when an ended run is resumed.
func (l *Ledger) Unpause(ctx context.Context, id, by string, meant run.For) (was bool, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE backfill.runs SET state = CASE action WHEN 'rollback' THEN $2 WHEN 'verify' THEN $6 ELSE $3 END, reason = '',
			free_until = CASE WHEN paused_for = 'window' AND $4 = '' THEN paused_until ELSE free_until END, paused_until = NULL,
			paused_at = NULL, paused_by = '', paused_for = '', acted_by = $5, canary = CASE $4 WHEN 'canary' THEN 0 ELSE canary END,
			heartbeat = CASE heartbeat WHEN 'epoch' THEN heartbeat ELSE clock_timestamp() END, resumed_at = clock_timestamp()
			WHERE run = $1 AND state IN ('PAUSING', 'PAUSED') AND ($4 = '' AND paused_for <> 'canary' OR paused_for = $4)`, id, run.RollingBack, run.Running, meant, by, run.Verifying)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		was = true
		_, err = tx.Exec(ctx, `UPDATE backfill.ledger l SET state = 'PENDING', not_before = NULL, sent = send, updated_at = clock_timestamp()
			FROM backfill.runs r WHERE r.run = l.run AND l.run = $1 AND (l.state = 'PENDING' OR l.state = 'FAILED' AND $2 IN ('', 'canary')) AND backfill.works(r.state, l.direction)`, id, meant)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("let run %s go on: %w", id, postgres.Classify(err))
	}
	return was, nil
}

// Await keeps the token of a task that waits for the end of the pause. False where there is nothing to wait for: the run
// was let go on or has ended since, or is paused anew and needs beats. Another execution's run is failure.Busy.
func (l *Ledger) Await(ctx context.Context, id, execution, token string) (bool, error) {
	waits, err := l.change(ctx, id, run.Paused, `UPDATE backfill.runs SET waiting = $3 WHERE run = $1 AND state = $2 AND execution = $4`,
		token, execution)
	if waits || err != nil {
		return waits, err
	}
	stored, err := l.Run(ctx, id)
	if err == nil && stored.Execution != execution {
		err = failure.New(failure.Busy, "run %s belongs to execution %s", id, stored.Execution)
	}
	return false, err
}

// Waiting is the token of the task that waits for the end of a pause; "" where none does. It may be over.
func (l *Ledger) Waiting(ctx context.Context, id string) (token string, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, "SELECT coalesce(max(waiting), '') FROM backfill.runs WHERE run = $1", id).Scan(&token)
	if err != nil {
		return "", fmt.Errorf("read who waits for run %s: %w", id, postgres.Classify(err))
	}
	return token, nil
}

// Woken forgets a task that waits no more. A task that began to wait meanwhile is kept.
func (l *Ledger) Woken(ctx context.Context, id, token string) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "UPDATE backfill.runs SET waiting = NULL WHERE run = $1 AND waiting = $2", id, token); err != nil {
		return fmt.Errorf("forget who waits for run %s: %w", id, postgres.Classify(err))
	}
	return nil
}
