package batch

import (
	"context"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Pass passes over the row at which the last batch failed, a batch of one, and notes it as rejected, in one transaction. The
// chunk is never done by it: what is left, if only its end, is for the next Step.
func (f *Forward) Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error {
	f.next = nil // it may be of another size
	step := ledger.Step{Keys: 1, Reached: row.Key, Timeout: f.Timeout}
	if err := f.pass(ctx, conn, claim, step, &row, nil); err != nil {
		return err
	}
	claim.Seq++
	claim.Scanned++
	claim.Position = row.Key
	return nil
}

// Pass is that of Forward. The row is the first that is left of the stripe: nobody else moves the claim.
func (s *Striped) Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error {
	s.next = nil
	next, err := s.peek(ctx, conn, *claim)
	if err != nil {
		return err
	}
	next = next.take(1)
	consume := statement.ConsumeStripe(next.stripe)
	step := ledger.Step{Keys: 1, Reached: next.reached(), Timeout: s.Timeout}
	if err := s.pass(ctx, conn, claim, step, &row, &consume); err != nil {
		return err
	}
	claim.Seq++
	claim.Scanned++
	if next.last() {
		claim.Position = next.stripe.Reached
	}
	return nil
}

// pass waits for the disk with its commit: rejects are few. Without a row none is noted.
func (r Runner) pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, step ledger.Step, row *ledger.Reject, consume *statement.Query) error {
	pipeline := &pgx.Batch{}
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(step))
	queue(settings(claim.Message, custom, false))
	if row != nil {
		queue(claim.Reject(*row, r.Change.ErrorBudget))
	}
	if consume != nil {
		queue(consume.SQL, consume.Args)
	}
	if err := steered(ctx, conn, claim, pipeline); err != nil {
		return fmt.Errorf("pass over a row of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	return nil
}

// steered sends a pipeline that begins with advance and settings. The claim hears what the run's limits say: among rows that fail no
// other batch may commit for a long time.
func steered(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, pipeline *pgx.Batch) error {
	var steering ledger.Steering
	err := postgres.Read(conn.SendBatch(ctx, pipeline), func(results pgx.BatchResults) (err error) {
		steering, err = begin(results)
		return err
	})
	if err == nil {
		claim.Steering = steering
	}
	return err
}

// Pass leaves the row alone that the table has no room for any more, and notes it as a conflict, with what Postgres said of
// it. The row is the first that is left of the undo: nobody else moves the claim.
func (b *Back) Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error {
	b.next = nil
	next, err := b.peek(ctx, conn, claim)
	if err != nil {
		return err
	}
	piece := next.take(1).piece
	pipeline := &pgx.Batch{}
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(ledger.Step{Timeout: b.Timeout}))
	queue(settings(claim.Message, generic, false))
	leave := statement.Leave(b.Change, piece, failure.SQLState(row.SQLState)+": "+row.Message)
	queue(claim.CountBack(leave.SQL, leave.Args))
	held, consume := statement.Held(b.Change, piece), statement.Consume(piece)
	queue(held.SQL, held.Args)
	queue(consume.SQL, consume.Args)
	if err := steered(ctx, conn, claim, pipeline); err != nil {
		return fmt.Errorf("leave a row of chunk %d of run %s alone: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	claim.Seq++
	return nil
}
