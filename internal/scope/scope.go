// Package scope finds ranges of keys of which no row matches a definition's `where`.
//
// It owns the question to the table, and when it pays to ask. It leaves what becomes of such ranges to planner.
// Invariants: a range in which a row matched when the question began is never called empty; nothing is asked where
// Postgres would answer by reading what a worker would read; the answer costs one short snapshot.
package scope

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// share of the cost of reading the ranges' rows that the question may have. What does not find an empty range is
	// lost, so the whole of it is a small part of what workers do anyway.
	share = 10
	// most matching rows that are read: some 10 ms. Where so many match close together, hardly a range is empty.
	most = 10_000
)

// settings hold for one transaction. The estimate may be wrong, so a second has to do. The last five are those of a
// batch: `where` has to mean what it means to a worker. Sequential scans are left on: where Postgres would rather have one,
// no index pays.
const settings = `SELECT set_config(name, value, true) FROM (VALUES ('jit', 'off'), ('max_parallel_workers_per_gather', '0'),
	('statement_timeout', '1s'), ('lock_timeout', '1s'), ('datestyle', 'ISO, MDY'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'),
	('extra_float_digits', '1'), ('bytea_output', 'hex')) AS settings (name, value)`

// ErrNoAnswer is returned by Empty where Postgres raised an error over the question: the time was over, or `where` fails
// on a row that it met.
var ErrNoAnswer = errors.New("it is not known which ranges have rows in scope")

// Empty tells for each of the ranges, which follow each other in the order of the change, whether no row of it matches. Nil: it was not asked, since
// there is no `where`, it depends on more than the row, or Postgres has no index that answers at a small part of the cost of
// reading the rows.
func Empty(ctx context.Context, conn *pgx.Conn, c change.Change, ranges []keyset.Range) (empty []bool, err error) {
	if c.Where == "" || len(ranges) == 0 {
		return nil, nil
	}
	if c.Order == keyset.Descending {
		ranges = slices.Clone(ranges)
		slices.Reverse(ranges)
		defer func() { slices.Reverse(empty) }()
	}
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		empty, err = ask(ctx, tx, c, ranges)
		return err
	})
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, postgres.Classify(err))
	}
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s in scope: %w", c.Table, postgres.Classify(err))
	}
	return empty, nil
}

func ask(ctx context.Context, tx pgx.Tx, c change.Change, ranges []keyset.Range) ([]bool, error) {
	if _, err := tx.Exec(ctx, settings); err != nil {
		return nil, err
	}
	span := statement.Span{Range: keyset.Range{Lo: ranges[0].Lo, Hi: ranges[len(ranges)-1].Hi}}
	if span.Lo != nil && len(c.Key) > 1 {
		shared := statement.Shared(c, span.Range)
		if err := tx.QueryRow(ctx, shared.SQL, shared.Args...).Scan(&span.Common); err != nil {
			return nil, err
		}
	}
	question := statement.Matching(c, span, ranges, most)
	if pays, err := pays(ctx, tx, question, statement.Plain(c, span)); err != nil || !pays {
		return nil, err
	}
	var empty []bool
	if err := tx.QueryRow(ctx, question.SQL, question.Args...).Scan(&empty); err != nil {
		return nil, err
	}
	for i, may := range empty {
		empty[i] = !may
	}
	return empty, nil
}
