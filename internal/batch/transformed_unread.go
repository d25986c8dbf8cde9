package batch

import (
	"context"
	"errors"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"
	"backfill/internal/transform"

	"github.com/jackc/pgx/v5"
)

// unreadable is the version of a row that could not be read: none that a row, or its absence, has.
const unreadable = "unreadable"

// unread is what a read gives of a row that cannot be read: `where` fails on it. By itself it is an entry, as one that the function has
// refused, and is passed over like that. Of more rows the error says which they are, so that fewer are read at once.
func (r Runner) unread(err error, keys int64, within func() (rows string, row keyset.Point, err error)) ([]entry, error) {
	err = failed(err, keys, within)
	var alone *Failed
	if class := failure.Of(err); class == failure.Transient || class == failure.Unknown || !errors.As(err, &alone) || alone.Keys > 1 || alone.row == nil {
		return nil, err
	}
	return []entry{{key: alone.row, version: unreadable, result: transform.Result{Refused: alone.err}}}, nil
}

// within says which rows a read was for that has failed.
func (r Runner) within(ctx context.Context, conn *pgx.Conn, from, hi keyset.Point, rows int64) (string, keyset.Point, error) {
	if rows > 1 {
		return statement.Within(r.Change.Key, keyset.Range{Lo: from, Hi: hi}), nil, nil
	}
	next := statement.Next(r.Change, from, hi, 1)
	target, err := read(conn.QueryRow(ctx, next.SQL, append([]any{pgx.QueryExecModeCacheDescribe}, next.Args...)...), from, hi, 1)
	if err == nil && target.last == nil {
		err = failure.New(failure.Transient, "the row that could not be read is gone")
	}
	return at(r.Change.Key, target.last), target.last, postgres.Classify(err)
}

// within is that of a stripe.
func (p *InPasses) within(ctx context.Context, conn *pgx.Conn, r Runner, claim *ledger.Claim, stripe statement.Stripe) (string, keyset.Point, error) {
	if stripe.Take > 1 {
		return statement.Within(r.Change.Key, claim.Message.Range()), nil, nil
	}
	row, err := look(ctx, conn, statement.StripeKey(r.Change.Key, stripe))
	return at(r.Change.Key, row), row, err
}
