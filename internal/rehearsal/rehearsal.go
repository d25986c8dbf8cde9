// Package rehearsal tries what a run would do, and writes nothing: the dry run.
//
// It owns which parts of the table are looked at, how long that may take, and what is made of it. It leaves judging the request to
// review, the statements to batch and statement, plans to guard, the answer's form to prospect. Invariants: every statement
// runs in a short read-only transaction with limits of time, so nothing is held, locked or left behind, the schema "backfill" included;
// what Postgres does not answer is told as not known, and does not end the rehearsal; values of rows are in the sample alone, and
// errors of Postgres are told without theirs.
package rehearsal

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/privilege"
	"backfill/internal/prospect"
	"backfill/internal/review"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// patience bounds the looking: a person waits, and the functions have 60 and 120 s.
const patience = 30 * time.Second

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Reviewer judges a request.
type Reviewer interface {
	Review(ctx context.Context, subject review.Subject) (review.Finding, error)
}

// Ledger is what is asked of the schema "backfill", which may not be there.
type Ledger interface {
	Current(ctx context.Context) (bool, error)
	Holder(ctx context.Context, table change.Table) (string, error)
	Dependencies(ctx context.Context, backfills []string) ([]ledger.Dependency, error)
}

// Rehearser rehearses.
type Rehearser struct {
	Session  Session
	Ledger   Ledger
	Reviewer Reviewer
}

// look is one rehearsal.
type look struct {
	conn   *pgx.Conn
	change change.Change
	bound  keyset.Point
	until  time.Time
	facts  facts
	role   privilege.Role
	passes int // over a chunk
	found  prospect.Prospect
}

// Rehearse tells what a run would do, with so many rows before and after. All problems of the request are one error of
// class failure.Invalid.
func (r Rehearser) Rehearse(ctx context.Context, subject review.Subject, rows int) (prospect.Prospect, error) {
	l, err := r.begin(ctx, subject)
	if err != nil {
		return prospect.Prospect{}, err
	}
	places, err := l.measure(ctx)
	if err != nil {
		return prospect.Prospect{}, err
	}
	if err := r.try(ctx, l, places); err != nil {
		return prospect.Prospect{}, err
	}
	if err := l.skips(ctx, places); err != nil {
		return prospect.Prospect{}, err
	}
	if err := l.sample(ctx, places, rows); err != nil {
		return prospect.Prospect{}, err
	}
	l.conclude()
	return l.found, nil
}

// Check is the part of a rehearsal that looks at no row but for the keys of a batch: what the run would send, and its plan.
func (r Rehearser) Check(ctx context.Context, subject review.Subject) (prospect.Checked, error) {
	l, err := r.begin(ctx, subject)
	if err != nil {
		return prospect.Checked{}, err
	}
	if err := r.try(ctx, l, places{}); err != nil {
		return prospect.Checked{}, err
	}
	found := l.found
	return prospect.Checked{Backfill: found.Backfill, Version: found.Version, Change: found.Change, Estimated: found.Extent.Rows, Notes: found.Notes,
		InTheWay: found.InTheWay, Plan: found.Plan, Prepared: found.Prepared, Unknown: found.Unknown}, nil
}

// begin judges the request, and reads what is known of the table.
func (r Rehearser) begin(ctx context.Context, subject review.Subject) (*look, error) {
	until := time.Now().Add(patience)
	finding, err := r.Reviewer.Review(ctx, subject)
	if err != nil {
		return nil, err
	}
	conn, err := r.Session.Conn(ctx)
	if err != nil {
		return nil, err
	}
	l := &look{conn: conn, change: finding.Change, bound: finding.Bound, until: until}
	l.change.Order = keyset.Ascending // what is looked at is the same, whatever comes first
	l.found = prospect.Prospect{Backfill: finding.Backfill, Version: finding.Version, Change: finding.Change, InTheWay: []string{}, Notes: []string{}, Locks: locks(finding.Change),
		Statements: []prospect.Statement{}, Sample: []prospect.Row{}, Unknown: []string{}, Extent: prospect.Extent{Rows: finding.Estimated}}
	l.found.Notes = append(l.found.Notes, finding.Notes...)
	l.noteWindows(finding.Source)
	holder, err := r.Ledger.Holder(ctx, finding.Change.Table)
	if err != nil {
		return nil, err
	}
	if holder != "" {
		l.obstacle("run %s holds table %s until it ends", holder, finding.Change.Table)
	}
	before, err := r.Ledger.Dependencies(ctx, finding.DependsOn)
	if err != nil {
		return nil, err
	}
	for _, unmet := range review.Unmet(before) {
		l.obstacle("%s; %s", unmet.Message, unmet.Remedy)
	}
	return l, l.readFacts(ctx)
}

func (l *look) obstacle(format string, args ...any) {
	l.found.InTheWay = append(l.found.InTheWay, fmt.Sprintf(format, args...))
}

// late tells whether the time is over, and says then what is not known for it.
func (l *look) late(what string) bool {
	over := time.Now().After(l.until)
	if over {
		l.found.Unknown = append(l.found.Unknown, what+": no time was left for it")
	}
	return over
}

// miss takes an error of Postgres as something that is not known. Any other, as that of a lost connection, ends the rehearsal.
func (l *look) miss(what string, err error) error {
	var server *postgres.Error
	if err == nil || !asServer(err, &server) {
		return err
	}
	l.found.Unknown = append(l.found.Unknown, what+": "+failure.Safe(server))
	return nil
}

// settings are those of a batch, with the limits of somebody who only looks.
const settings = `SELECT set_config(name, value, true) FROM (VALUES ('statement_timeout', '3s'), ('lock_timeout', '1s'),
	('idle_in_transaction_session_timeout', '10s'), ('max_parallel_workers_per_gather', '0'), ('enable_seqscan', 'off'), ('jit', 'off'),
	('plan_cache_mode', 'force_custom_plan'), ('datestyle', 'ISO, MDY'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'),
	('extra_float_digits', '1'), ('bytea_output', 'hex')) AS settings (name, value)`

// read runs a step in a transaction of its own that cannot write. Errors have a class.
func (l *look) read(ctx context.Context, step func(tx pgx.Tx) error) error {
	return postgres.Classify(pgx.BeginTxFunc(ctx, l.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, settings); err != nil {
			return err
		}
		return step(tx)
	}))
}

// next finds the range of so many keys after a point; no keys are left where it is nil.
func (l *look) next(ctx context.Context, from keyset.Point, keys int64) (*statement.Span, error) {
	query := statement.Next(l.change, from, l.bound, keys)
	span := statement.Span{Range: keyset.Range{Lo: from}}
	err := l.read(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query.SQL, query.Args...).Scan(&span.Hi, nil, &span.Common, nil)
	})
	if noRows(err) {
		return nil, nil
	}
	return &span, err
}
