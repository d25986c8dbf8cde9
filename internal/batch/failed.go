package batch

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Failed is the error of a batch that failed while it worked on rows; nothing of it is committed.
type Failed struct {
	Keys   int64        // that the batch covered
	Within string       // which those are, as statement.Within says it: keys and no other values
	row    keyset.Point // the key of a batch of one
	err    error
}

func (f *Failed) Error() string {
	rows := fmt.Sprintf("%d rows", f.Keys)
	if f.Keys == 1 {
		rows = "1 row"
	}
	return fmt.Sprintf("%s within %s: %s", rows, f.Within, f.err)
}

// Unwrap is what the server said, or a Go function.
func (f *Failed) Unwrap() error { return f.err }

// Row is the row of a batch of one, and what Postgres, or a Go function, said of it. False: the batch covered more, or nobody knows which.
func (f *Failed) Row() (ledger.Reject, bool) {
	var raised interface {
		SQLState() string
		Message() string
	}
	if f.Keys != 1 || f.row == nil || !errors.As(f.err, &raised) {
		return ledger.Reject{}, false
	}
	return ledger.Reject{Key: f.row, SQLState: raised.SQLState(), Message: raised.Message()}, true
}

// Displaced tells whether a batch of one failed because its row has no place any more beside the others.
func (f *Failed) Displaced() bool {
	row, alone := f.Row()
	return alone && failure.Displaced(row.SQLState)
}

// failed classes an error of a batch, and says which keys the batch covered where its rows may be the reason. A batch of one
// has a row. Where they cannot be read for now, that is the error: nothing is committed, and the batch fails again.
func failed(err error, keys int64, within func() (rows string, row keyset.Point, err error)) error {
	err = postgres.Classify(err)
	if keys == 0 || !postgres.MetRows(err) {
		return err
	}
	rows, row, looking := within()
	if class := failure.Of(looking); class == failure.Transient || class == failure.Unknown {
		return looking
	}
	if rows != "" {
		return &Failed{Keys: keys, Within: rows, row: row, err: err}
	}
	return err
}

// within is the row of a batch of one, else the window that its keys are spread over.
func (s *Striped) within(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, stripe statement.Stripe) (string, keyset.Point, error) {
	key := s.Change.Key
	if stripe.Take == 1 {
		row, err := look(ctx, conn, statement.StripeKey(key, stripe))
		return at(key, row), row, err
	}
	end, err := look(ctx, conn, statement.WindowEnd(stripe.Run, stripe.Chunk))
	if end == nil {
		return "", nil, err
	}
	return statement.Within(key, keyset.Range{Lo: claim.From(), Hi: end}), nil, nil
}

// within is the row of a batch of one, else the chunk: undo has no order that people could follow.
func (b *Back) within(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, piece statement.Piece) (string, keyset.Point, error) {
	if piece.Take == 1 {
		_, key := b.Change.Written()
		row, err := look(ctx, conn, statement.PieceKey(key, piece))
		return at(key, row), row, err
	}
	return statement.Within(b.Change.Key, claim.Message.Range()), nil, nil
}

func at(key []keyset.Column, point keyset.Point) string {
	if point == nil {
		return ""
	}
	return statement.At(key, point)
}

// look reads a key; nil where it cannot be read.
func look(ctx context.Context, conn *pgx.Conn, query statement.Query) (found keyset.Point, err error) {
	if err := conn.QueryRow(ctx, query.SQL, query.Args...).Scan(&found); err != nil {
		return nil, fmt.Errorf("look up the rows of a batch that failed: %w", postgres.Classify(err))
	}
	return found, nil
}
