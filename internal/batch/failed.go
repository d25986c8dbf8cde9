package batch

import (
	"context"
	"fmt"

	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Failed is the error of a batch that failed while it worked on rows; nothing of it is committed.
type Failed struct {
	Keys   int64  // that the batch covered
	Within string // which those are, as statement.Within says it: keys and no other values
	err    error
}

func (f *Failed) Error() string {
	rows := fmt.Sprintf("%d rows", f.Keys)
	if f.Keys == 1 {
		rows = "1 row"
	}
	return fmt.Sprintf("%s within %s: %s", rows, f.Within, f.err)
}

// Unwrap is what the server said.
func (f *Failed) Unwrap() error { return f.err }

// failed classes an error of a batch, and says which keys the batch covered where its rows may be the reason.
func failed(err error, keys int64, within func() string) error {
	err = postgres.Classify(err)
	if keys == 0 || !postgres.MetRows(err) {
		return err
	}
	if rows := within(); rows != "" {
		return &Failed{Keys: keys, Within: rows, err: err}
	}
	return err
}

// within is the row of a batch of one, else the window that its keys are spread over.
func (s *Striped) within(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, stripe statement.Stripe) string {
	key := s.Change.Key
	if stripe.Take == 1 {
		return at(key, look(ctx, conn, statement.StripeKey(key, stripe)))
	}
	end := look(ctx, conn, statement.WindowEnd(stripe.Run, stripe.Chunk))
	if end == nil {
		return ""
	}
	return statement.Within(key, keyset.Range{Lo: claim.From(), Hi: end})
}

// within is the row of a batch of one, else the chunk: undo has no order that people could follow.
func (b *Back) within(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, piece statement.Piece) string {
	key := b.Change.Key
	if piece.Take == 1 {
		return at(key, look(ctx, conn, statement.PieceKey(key, piece)))
	}
	return statement.Within(key, claim.Message.Range())
}

func at(key []keyset.Column, point keyset.Point) string {
	if point == nil {
		return ""
	}
	return statement.At(key, point)
}

// look reads a key; nil where it cannot be read: the error of the batch is told without it.
func look(ctx context.Context, conn *pgx.Conn, query statement.Query) keyset.Point {
	var found keyset.Point
	if err := conn.QueryRow(ctx, query.SQL, query.Args...).Scan(&found); err != nil {
		return nil
	}
	return found
}
