package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/run"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// ErrNoRun is returned where the database knows no run of that name.
var ErrNoRun = errors.New("no such run in this database")

// undefinedTable is the SQLSTATE where the schema is not made yet.
const undefinedTable = "42P01"

// Run is a run as Postgres knows it.
type Run struct {
	Run        string
	Backfill   string
	Version    int64  // of a definition that was registered; 0: it was compiled in, or came with the request
	Action     string // start, rollback or verify
	Execution  string // ARN of the execution that the run belongs to; only its end may end the run
	Definition string // the file's text
	Change     change.Change
	Bound      keyset.Point // nil: the table was empty
	Estimated  int64        // rows, by the catalog, when the run began
	Canary     int64        // millionths of its chunks that are worked on before a person approves; 0: all, or it was approved
	State      run.State
	ClosesAs   run.State // the state that Cancelling leads to
	Reason     string
	Heartbeat  time.Time
	StartedAt  time.Time
	ResumedAt  time.Time  // zero: never; messages that were sent before it count as lost
	SweptAt    *time.Time // nil: what it keeps to be rolled back is there still
	Now        time.Time  // the database's clock
}

// Open stores a run and takes the lock of its table. A run of the same name that exists already is left as it is,
// and is returned: a start that is repeated is the same run. Another run on the table is failure.Busy.
func (l *Ledger) Open(ctx context.Context, r Run) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return r, err
	}
	stored, err := json.Marshal(r.Change)
	if err != nil {
		return r, fmt.Errorf("store the change of run %s: %w", r.Run, err)
	}
	bound, top := r.Bound, keyset.Point(nil)
	if bound != nil && r.Change.Order == keyset.Descending {
		bound, top = keyset.Point{}, bound
	}
	_, err = conn.Exec(ctx, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, bound, estimated, state, version, copies_into, writers,
			canary, tables_before, indexes_before, top)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, CASE WHEN $12 THEN backfill.writers($4::text::regclass) END, $13::bigint, e.bytes, e.indexes, $15
		FROM (SELECT) AS one LEFT JOIN backfill.extent($14::text[]) e ON $13::bigint > 0 ON CONFLICT (run) DO NOTHING`,
		r.Run, r.Backfill, r.Execution, statement.Table(r.Change.Table), r.Definition, string(stored), bound, r.Estimated,
		run.Planning, r.Version, into(r.Change), r.Change.Follow, r.Canary, written(r.Change), top)
	if held(err) {
		return r, l.busy(ctx, r)
	}
	if err != nil {
		return r, fmt.Errorf("open run %s: %w", r.Run, postgres.Classify(err))
	}
	return l.Run(ctx, r.Run)
}

// into is the table that a run writes beside the one that it walks, as it is stored; "": there is none.
func into(c change.Change) string {
	if c.Copy == nil {
		return ""
	}
	return statement.Table(c.Copy.Into)
}

// written are the tables that a run writes, quoted.
func written(c change.Change) []string {
	var tables []string
	for _, effect := range c.Effects() {
		tables = append(tables, statement.Table(effect.Table))
	}
	return tables
}

// held tells whether a statement failed since another run holds a table.
func held(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.ConstraintName == "runs_lock" || server.ConstraintName == "held_lock")
}

// busy names the run that holds a table.
func (l *Ledger) busy(ctx context.Context, r Run) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	holder, table := "a run that has just ended", statement.Table(r.Change.Table)
	_ = conn.QueryRow(ctx, "SELECT run, target FROM backfill.held WHERE target IN ($1, $2) AND run <> $3 ORDER BY target = $1 DESC LIMIT 1",
		table, into(r.Change), r.Run).Scan(&holder, &table)
	which := r.Change.Table
	if table != statement.Table(which) {
		which = r.Change.Copy.Into
	}
	return failure.New(failure.Busy, "run %s holds table %s; wait for its end, or `backfill cancel %s`", holder, which, holder)
}

// Run reads a run. ErrNoRun (failure.Invalid) where there is none.
func (l *Ledger) Run(ctx context.Context, id string) (Run, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Run{}, err
	}
	r := Run{Run: id}
	var stored string
	var resumed pgtype.Timestamptz
	err = conn.QueryRow(ctx, `SELECT backfill, version, action, execution, definition, change::text, coalesce(top, bound), estimated, canary, state, coalesce(closes_as, ''), reason,
		heartbeat, started_at, resumed_at, undo_swept_at, clock_timestamp() FROM backfill.runs WHERE run = $1`, id).Scan(&r.Backfill,
		&r.Version, &r.Action, &r.Execution, &r.Definition, &stored, &r.Bound, &r.Estimated, &r.Canary, &r.State, &r.ClosesAs, &r.Reason, &r.Heartbeat, &r.StartedAt, &resumed, &r.SweptAt, &r.Now)
	if errors.Is(err, pgx.ErrNoRows) || postgres.Raised(err, undefinedTable) { // no run has begun in this database yet
		return r, failure.New(failure.Invalid, "run %s: %w", id, ErrNoRun)
	}
	if err != nil {
		return r, fmt.Errorf("read run %s: %w", id, postgres.Classify(err))
	}
	r.ResumedAt = resumed.Time
	if err := json.Unmarshal([]byte(stored), &r.Change); err != nil {
		return r, fmt.Errorf("read the change of run %s: %w", id, err)
	}
	return r, nil
}

// Status is what people see of a run, as far as this record of it tells.
func (r Run) Status() run.Status {
	return run.Status{
		Run: r.Run, Backfill: r.Backfill, Version: r.Version, Action: r.Action, State: r.State, Reason: r.Reason,
		Table: r.Change.Table.String(), Kind: string(r.Change.Kind), Rows: run.Rows{Estimated: r.Estimated}, Undo: run.Undo{SweptAt: r.SweptAt},
		StartedAt: r.StartedAt.UTC(), UpdatedAt: r.Now.UTC(),
	}
}
