// Package inquiry asks the user's database what a certificate has to answer beside the ledger.
//
// It owns the questions of a whole table: the invariant of a definition, whether a row in scope is left, whether NOT NULL can be proved.
// It leaves the text of those on a table to statement, and what the answers mean to completion. Invariants: each question is a
// read-only transaction of its own that is rolled back, and has a time limit; a question that Postgres refuses is an answer that says why, an error is
// that of a connection; Postgres' own text, which may quote values, goes nowhere.
package inquiry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"backfill/internal/change"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/run"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// Patience is the longest that a question may take.
	Patience = 30 * time.Second
	// margin is kept back before the deadline, for what follows from the answer.
	margin = 10 * time.Second
)

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Inquirer asks. Limit is in place of Patience; 0: it is that.
type Inquirer struct {
	Session Session
	Limit   time.Duration
}

// Invariant asks the query of a definition; nil where it has none.
func (i Inquirer) Invariant(ctx context.Context, c change.Change) (*run.Invariant, error) {
	if c.Verify == nil || c.Verify.Query == "" {
		return nil, nil
	}
	answer := run.Invariant{Query: strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(c.Verify.Query, "("), ")"))}
	var holds *bool
	into := any(&holds)
	if c.Verify.Counts {
		into = &answer.Rows
	}
	refused, err := i.ask(ctx, statement.Invariant(c), into)
	switch {
	case err != nil:
		return nil, err
	case refused != "":
		answer.Error = refused
	case c.Verify.Counts && answer.Rows != nil && (math.IsNaN(*answer.Rows) || math.IsInf(*answer.Rows, 0)):
		answer.Rows, answer.Error = nil, "it gives no number"
	case answer.Rows == nil && holds == nil:
		answer.Error = "it gives NULL"
	case c.Verify.Counts:
		answer.Holds = *answer.Rows == 0
	default:
		answer.Holds = *holds
	}
	return &answer, nil
}

// Left asks whether a row up to the bound is in scope still; nil: there is no answer in time.
func (i Inquirer) Left(ctx context.Context, c change.Change, bound keyset.Point) (*bool, error) {
	return i.exists(ctx, statement.Left(c, bound))
}

// Provable asks whether NOT NULL can be proved for a column and is not there yet: no row above the bound holds NULL; nil: there is no answer in time.
func (i Inquirer) Provable(ctx context.Context, c change.Change, bound keyset.Point, column string) (*bool, error) {
	return i.exists(ctx, statement.Provable(c, bound, column))
}

func (i Inquirer) exists(ctx context.Context, query statement.Query) (*bool, error) {
	var found bool
	refused, err := i.ask(ctx, query, &found)
	if err != nil || refused != "" {
		return nil, err
	}
	return &found, nil
}

// ask tells why Postgres gave no answer.
func (i Inquirer) ask(ctx context.Context, query statement.Query, into any) (refused string, err error) {
	limit := i.Limit
	if limit == 0 {
		limit = Patience
	}
	if limit = min(limit, deadline.Remaining(ctx)-margin); limit <= 0 {
		return "", failure.New(failure.Transient, "the function has no time left for a question; the next beat asks it")
	}
	conn, err := i.Session.Conn(ctx)
	if err != nil {
		return "", err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return "", fmt.Errorf("begin to ask: %w", postgres.Classify(err))
	}
	// A connection that is lost by now fails its next user.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	_, err = tx.Exec(ctx, "SELECT pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('lock_timeout', '5s', true), pg_catalog.set_config('jit', 'off', true)",
		fmt.Sprint(limit.Milliseconds()))
	if err == nil {
		err = tx.QueryRow(ctx, query.SQL, query.Args...).Scan(into)
	}
	return why(err, limit)
}

// own are errors that elsewhere pass by themselves: here a query that writes meets its transaction, or waits for a lock.
var own = []string{"25006", "55P03"}

// why tells a refusal by Postgres from a connection that is lost.
func why(err error, limit time.Duration) (refused string, lost error) {
	var server *pgconn.PgError
	classified := postgres.Classify(err)
	class := failure.Of(classified)
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &server) && server.Code == failure.QueryCanceled:
		return fmt.Sprintf("it takes longer than %s", limit), nil
	case server == nil, !slices.Contains(own, server.Code) && (class == failure.Transient || class == failure.Unknown):
		return "", fmt.Errorf("ask: %w", classified)
	}
	return "it failed: " + failure.Safe(classified), nil
}
