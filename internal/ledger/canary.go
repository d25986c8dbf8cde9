package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// HoldBack notes chunks that are not of the canary: PENDING, and not worked on while it stands. A chunk that is known already stays as it is. Scanned
// is how many keys each has. The run's row is locked first, as in Skip.
func (l *Ledger) HoldBack(ctx context.Context, id string, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, e := range entries {
		batch.Queue(`WITH open AS MATERIALIZED (SELECT run FROM backfill.runs WHERE run = $1 AND backfill.works(state, 'forward') AND canary > 0 FOR SHARE)
			INSERT INTO backfill.ledger (run, chunk, lo, hi, held, counted) SELECT run, $2::bigint, $3::text[], $4::text[], true, $5::bigint FROM open
			ON CONFLICT DO NOTHING`, id, e.Chunk, e.Range.Lo, e.Range.Hi, e.Scanned)
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("hold %d chunks of run %s back: %w", len(entries), id, postgres.Classify(err))
	}
	return nil
}

// Stay is what a worker's stay at a chunk of a canary took.
type Stay struct {
	Chunk      int64
	Begun      time.Time
	Ended      time.Time
	Keys       int64
	Rows       int64
	Own        bool   // the counters are of the worker's session alone; else of the whole server
	WALFrom    *int64 // nil: Postgres did not tell
	WALTo      *int64
	ImagesFrom *int64
	ImagesTo   *int64
}

// Canary is what a canary has come to.
type Canary struct {
	Waits    bool // for chunks that are at work, or to be
	Share    int64
	Began    time.Time // its run
	Now      time.Time // the database's clock
	Chunks   int64     // that were worked on
	Failed   int64     // of them
	Keys     int64
	Written  int64
	Left     run.Left
	Stays    []Stay
	Table    *Extent // now; nil: not known
	Before   *Extent
	Verified run.Checked
	// Block is the size of a page, Checkpoints the time between two that are not asked for.
	Block       int64
	Checkpoints time.Duration
}

// Extent is how large the tables are that a run writes.
type Extent struct{ Bytes, Indexes int64 }

// unmeasured is for how long a chunk that is done is waited for: its worker counts what it took when the last batch is committed.
const unmeasured = 10 * time.Second

// Ripen is asked when no chunk of the canary is open. Where too few have been worked on, it lets more of those that are held go; where rows are verified
// by value (values), it has those that are done looked at. What is left to do then is told by Waits. Repeated it changes nothing. A plan without work has no canary any more.
func (l *Ledger) Ripen(ctx context.Context, id string, values bool) (c Canary, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return c, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		c.Waits = true
		var state run.State
		err := tx.QueryRow(ctx, "SELECT state, canary FROM backfill.runs WHERE run = $1 FOR UPDATE", id).Scan(&state, &c.Share)
		if err != nil || state != run.Running || c.Share == 0 {
			return err
		}
		for _, step := range []func(context.Context, pgx.Tx, string) (bool, error){empty, fewer, measuring, look(values)} {
			if waits, err := step(ctx, tx, id); err != nil || waits {
				return err
			}
		}
		c.Waits = false
		return nil
	})
	if err == nil && !c.Waits {
		err = l.shown(ctx, conn, id, &c)
	}
	if err != nil {
		return c, fmt.Errorf("look at the canary of run %s: %w", id, postgres.Classify(err))
	}
	return c, nil
}

// tried are the chunks of a canary that workers have been at; those that were skipped say nothing of the rest.
const tried = `FILTER (WHERE NOT held AND fence > 0 AND state IN ('COMPLETED', 'FAILED'))`

// empty ends the canary of a plan in which there is nothing to do.
func empty(ctx context.Context, tx pgx.Tx, id string) (bool, error) {
	tag, err := tx.Exec(ctx, `UPDATE backfill.runs SET canary = 0 WHERE run = $1
		AND NOT EXISTS (SELECT FROM backfill.ledger WHERE run = $1 AND (held OR fence > 0))`, id)
	return err == nil && tag.RowsAffected() > 0, err
}

// fewer lets held chunks go until three have been tried, or half of all: one in the middle, one near the end.
func fewer(ctx context.Context, tx pgx.Tx, id string) (bool, error) {
	return opens(ctx, tx, `WITH held AS (SELECT chunk, row_number() OVER (ORDER BY chunk) AS n, count(*) OVER () AS held FROM backfill.ledger
			WHERE run = $1 AND held AND state = 'PENDING'),
		want AS (SELECT least(3, greatest(1, (count(*) `+tried+` + count(*) FILTER (WHERE held)) / 2)) - count(*) `+tried+` AS missing FROM backfill.ledger WHERE run = $1)
		UPDATE backfill.ledger l SET held = false, updated_at = clock_timestamp() FROM held h, want w, generate_series(1, w.missing) AS i
		WHERE l.run = $1 AND l.chunk = h.chunk AND h.n = greatest(1, i * h.held / w.missing - 1)`, id)
}

// measuring tells whether a worker may be counting still what it took.
func measuring(ctx context.Context, tx pgx.Tx, id string) (waits bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM backfill.ledger l WHERE run = $1 AND NOT held AND fence > 0 AND state = 'COMPLETED' AND direction = 'forward'
		AND scanned > 0 AND updated_at > clock_timestamp() - $2::interval AND NOT EXISTS (SELECT FROM backfill.stays s WHERE s.run = l.run AND s.chunk = l.chunk))`,
		id, unmeasured).Scan(&waits)
	return waits, err
}

// look has the rows of the chunks that are done looked at, where they are verified by value: the ways of a verification, which writes nothing. A chunk that was looked at
// says so by its direction until the run waits, or ends; a figure alone is no proof.
func look(values bool) func(context.Context, pgx.Tx, string) (bool, error) {
	return func(ctx context.Context, tx pgx.Tx, id string) (bool, error) {
		if !values {
			return false, nil
		}
		return opens(ctx, tx, `UPDATE backfill.ledger SET direction = 'verify', state = 'PENDING', fence = fence + 1, owner = '', lease_until = NULL, not_before = NULL,
			"position" = NULL, reason = '', sent = send, updated_at = clock_timestamp(), looked = 0, fitting = 0, deviating = 0, mended = 0, digest = NULL, nulls = NULL
			WHERE run = $1 AND NOT held AND fence > 0 AND state = 'COMPLETED' AND direction = 'forward'`, id)
	}
}

// opens opens chunks, and notes when: they wait for nobody before.
func opens(ctx context.Context, tx pgx.Tx, sql, id string) (bool, error) {
	tag, err := tx.Exec(ctx, "WITH opened AS ("+sql+" RETURNING 1) UPDATE backfill.runs SET opened_at = clock_timestamp() WHERE run = $1 AND EXISTS (SELECT FROM opened)", id)
	return err == nil && tag.RowsAffected() > 0, err
}

// shown reads what the canary has shown.
func (l *Ledger) shown(ctx context.Context, conn *pgx.Conn, id string, c *Canary) error {
	var before, indexes *int64
	err := conn.QueryRow(ctx, `SELECT count(*) `+tried+`, count(*) FILTER (WHERE NOT held AND fence > 0 AND state = 'FAILED'),
			coalesce(sum(scanned) `+tried+`, 0)::bigint, coalesce(sum(affected) `+tried+`, 0)::bigint, count(*) FILTER (WHERE held),
			coalesce(coalesce(sum(counted) FILTER (WHERE held), 0) + count(*) FILTER (WHERE held AND counted IS NULL) * coalesce(avg(counted) FILTER (WHERE held), avg(scanned) `+tried+`), 0)::bigint,
			coalesce(sum(fitting) FILTER (WHERE direction = 'verify'), 0)::bigint, coalesce(sum(deviating) FILTER (WHERE direction = 'verify'), 0)::bigint,
			(SELECT started_at FROM backfill.runs WHERE run = $1), clock_timestamp(), (SELECT tables_before FROM backfill.runs WHERE run = $1),
			(SELECT indexes_before FROM backfill.runs WHERE run = $1), current_setting('block_size')::bigint, current_setting('checkpoint_timeout')::interval FROM backfill.ledger WHERE run = $1`, id).Scan(&c.Chunks, &c.Failed,
		&c.Keys, &c.Written, &c.Left.Chunks, &c.Left.Keys, &c.Verified.Rows, &c.Verified.Deviating, &c.Began, &c.Now, &before, &indexes, &c.Block, &c.Checkpoints)
	if err != nil {
		return err
	}
	stored, err := l.Run(ctx, id)
	if err != nil {
		return err
	}
	if before != nil && indexes != nil {
		c.Before = &Extent{*before, *indexes}
	}
	if err := conn.QueryRow(ctx, "SELECT bytes, indexes FROM backfill.extent($1)", written(stored.Change)).Scan(&before, &indexes); err != nil {
		return err
	}
	if before != nil && indexes != nil {
		c.Table = &Extent{*before, *indexes}
	}
	rows, _ := conn.Query(ctx, `SELECT chunk, begun_at, ended_at, keys, rows, own, wal_from, wal_to, images_from, images_to FROM backfill.stays
		WHERE run = $1 AND keys > 0 ORDER BY ended_at, chunk`, id) // its error is that of the rows
	c.Stays, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Stay])
	return err
}

// PauseForApproval makes a run PAUSING whose canary has come to its end, with what it has shown. The chunks that were looked at are done, as before.
func (l *Ledger) PauseForApproval(ctx context.Context, id, reason string, forecast run.Forecast) (paused bool, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	encoded, err := json.Marshal(forecast)
	if err != nil {
		return false, fmt.Errorf("encode the forecast of run %s: %w", id, err)
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, pauses+"run = $1 AND canary > 0", id, reason, "", run.ForCanary, nil, []run.State{run.Running}, over[run.ForCanary])
		if paused = err == nil && tag.RowsAffected() == 1; !paused {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE backfill.runs SET forecast = $2::jsonb WHERE run = $1", id, string(encoded)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, leaveVerification("false")+" WHERE run = $1 AND direction = 'verify'", id)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("have run %s wait for an approval: %w", id, postgres.Classify(err))
	}
	return paused, nil
}
