package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"backfill/internal/failure"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Verify begins the verification of a run that is COMPLETED. Where its rows are verified by value, each chunk that is not rolled back
// is open once more, under a higher fence and from its first key; else there is nothing for workers to do. Mends: rows that do not
// hold what they should are written again. Repeated by the same execution it changes nothing, also where it has ended meanwhile.
func (l *Ledger) Verify(ctx context.Context, id, execution string, mends bool) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Run{}, err
	}
	stored, err := l.Run(ctx, id)
	if err != nil {
		return Run{}, err
	}
	values, _ := stored.Change.Verifies()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var state run.State
		var owner string
		var swept bool
		err := tx.QueryRow(ctx, "SELECT state, execution, undo_swept_at IS NOT NULL FROM backfill.runs WHERE run = $1 FOR UPDATE", id).Scan(&state, &owner, &swept)
		if err != nil || owner == execution {
			return err
		}
		if state != run.Completed {
			return failure.New(failure.Invalid, "run %s is %s: %s", id, state, beforeVerification(state))
		}
		if swept && mends && values && stored.Change.Undo {
			return failure.New(failure.Invalid, "run %s has no undo any more, so what a verification writes could not be taken back: have it count only, `backfill verify %s --no-write`", id, id)
		}
		return verify(ctx, tx, id, execution, values, mends && values)
	})
	if err != nil {
		return Run{}, l.reopening(ctx, "verify", id, err)
	}
	return l.Run(ctx, id)
}

// beforeVerification says what to do with a run that cannot be verified in its state.
func beforeVerification(state run.State) string {
	switch state {
	case run.Verifying:
		return "it is being verified already"
	case run.Failed, run.Cancelled:
		return "only a run that is COMPLETED can be verified; resume it first"
	case run.RolledBack:
		return "there is nothing left to verify"
	default:
		return "only a run that is COMPLETED can be verified; wait for its end"
	}
}

// The position begins anew, and so do the figures: they are those of the last verification.
func verify(ctx context.Context, tx pgx.Tx, id, execution string, values, mends bool) error {
	_, err := tx.Exec(ctx, `UPDATE backfill.runs SET state = $2, action = 'verify', execution = $3, mends = $4, certificate = NULL, reason = '', closes_as = NULL,
		returns_to = NULL, ended_at = NULL, heartbeat = clock_timestamp(), resumed_at = clock_timestamp() WHERE run = $1`,
		id, run.Verifying, execution, mends)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE backfill.ledger SET looked = 0, fitting = 0, deviating = 0, mended = 0, digest = NULL, nulls = NULL WHERE run = $1`, id)
	if err != nil || !values {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE backfill.ledger SET direction = 'verify', state = 'PENDING', fence = fence + 1, owner = '', lease_until = NULL, not_before = NULL,
		"position" = NULL, reason = '', sent = send, updated_at = clock_timestamp() WHERE run = $1 AND state = 'COMPLETED' AND direction = 'forward'`, id)
	return err
}

// leaveVerification makes the chunks of a run what they were before its verification. Figures are kept of those of which the condition holds: of a chunk that
// was looked at in part they would be taken for those of the whole.
func leaveVerification(kept string) string {
	figures := ""
	for _, column := range []string{"looked", "fitting", "deviating", "mended"} {
		figures += fmt.Sprintf(", %[1]s = CASE WHEN %[2]s THEN l.%[1]s ELSE 0 END", column, kept)
	}
	return `UPDATE backfill.ledger l SET direction = 'forward', state = 'COMPLETED', "position" = hi, lease_until = NULL, not_before = NULL,
	reason = CASE l.state WHEN 'COMPLETED' THEN l.reason ELSE '' END` + figures + fmt.Sprintf(", digest = CASE WHEN %[1]s THEN l.digest END, nulls = CASE WHEN %[1]s THEN l.nulls END", kept)
}

// Verified is what a verification by value has found so far.
type Verified struct {
	Chunks     int64 // looked at to their end
	All        int64 // of the run
	RolledBack int64 // of them
	Looked     int64
	Fitting    int64
	Deviating  int64
	Mended     int64
	Digest     string  // "": no chunk was looked at
	Nulls      []int64 // for each written column
	Mends      bool
}

// Verified reads the sums of a verification.
func (l *Ledger) Verified(ctx context.Context, id string) (Verified, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Verified{}, err
	}
	var v Verified
	err = conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE digest IS NOT NULL AND state = 'COMPLETED'), count(*), count(*) FILTER (WHERE state = 'ROLLED_BACK'), coalesce(sum(looked), 0)::bigint,
		coalesce(sum(fitting), 0)::bigint, coalesce(sum(deviating), 0)::bigint, coalesce(sum(mended), 0)::bigint, coalesce(sum(digest)::text, ''),
		coalesce((SELECT array_agg(n ORDER BY place) FROM (SELECT place, sum(n)::bigint AS n FROM backfill.ledger c, unnest(c.nulls) WITH ORDINALITY AS u (n, place)
			WHERE c.run = $1 GROUP BY place) listed), '{}'),
		(SELECT mends FROM backfill.runs WHERE run = $1) FROM backfill.ledger WHERE run = $1`, id).Scan(
		&v.Chunks, &v.All, &v.RolledBack, &v.Looked, &v.Fitting, &v.Deviating, &v.Mended, &v.Digest, &v.Nulls, &v.Mends)
	if err != nil {
		return v, fmt.Errorf("read what the verification of run %s has found: %w", id, postgres.Classify(err))
	}
	return v, nil
}

// Certify ends a verification of which no chunk is open any more: the run is COMPLETED as before, with the certificate. False: it
// is elsewhere by now, or was certified before.
func (l *Ledger) Certify(ctx context.Context, id string, certificate run.Certificate, reason string) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	encoded, err := json.Marshal(certificate)
	if err != nil {
		return false, fmt.Errorf("encode the certificate of run %s: %w", id, err)
	}
	var certified bool
	err = conn.QueryRow(ctx, `WITH certified AS (UPDATE backfill.runs SET state = $2, action = 'start', certificate = $3::jsonb, reason = $4, closes_as = NULL,
				ended_at = clock_timestamp() WHERE run = $1 AND state = $5
				AND NOT EXISTS (SELECT FROM backfill.ledger WHERE run = $1 AND direction = 'verify' AND state <> 'COMPLETED') RETURNING run),
			left_behind AS (`+leaveVerification("true")+` FROM certified c WHERE l.run = c.run AND l.direction = 'verify')
		SELECT EXISTS (SELECT FROM certified)`, id, run.Completed, string(encoded), reason, run.Verifying).Scan(&certified)
	if err != nil {
		return false, fmt.Errorf("certify run %s: %w", id, postgres.Classify(err))
	}
	return certified, nil
}

// Digest is what the last verification has found in one chunk.
type Digest struct {
	Chunk     int64     `json:"chunk"`
	Looked    int64     `json:"rows"`
	Fitting   int64     `json:"in_scope"`
	Deviating int64     `json:"deviating"`
	Mended    int64     `json:"mended"`
	Digest    string    `json:"digest"`
	At        time.Time `json:"at"`
}

// Digests lists the chunks that were verified, in their order, after one of them.
func (l *Ledger) Digests(ctx context.Context, id string, after, limit int64) ([]Digest, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := conn.Query(ctx, `SELECT chunk, looked, fitting, deviating, mended, digest::text, coalesce(advanced_at, updated_at) FROM backfill.ledger
		WHERE run = $1 AND chunk > $2 AND digest IS NOT NULL ORDER BY chunk LIMIT $3`, id, after, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Digest])
	if err != nil {
		return nil, fmt.Errorf("list the digests of run %s: %w", id, postgres.Classify(err))
	}
	for i := range found {
		found[i].At = found[i].At.UTC()
	}
	return found, nil
}
