package batch

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Back restores what the batches of one chunk overwrote, the newest first, one undo row or a part of it at a time.
type Back struct {
	Change  change.Change
	Timeout time.Duration // of each statement; below the lease
	next    *undone       // nil: has to be looked up
}

// undone is what a batch consumes; left counts the undo rows that were seen, itself included (at most 2), so 0 means
// that the chunk is done.
type undone struct {
	piece statement.Piece
	left  int
}

// Step restores the next batch of the claim, of at most rows rows. An undo row is consumed in the transaction that
// restores what it holds.
func (b *Back) Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (Outcome, error) {
	if b.next == nil {
		next, err := b.peek(ctx, conn, claim)
		if err != nil {
			return Outcome{}, err
		}
		b.next = &next
	}
	outcome, next, err := b.apply(ctx, conn, claim, b.next.take(rows))
	if b.next = &next; err != nil {
		b.next = nil
	}
	return outcome, err
}

func (b *Back) peek(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim) (undone, error) {
	peek := statement.Peek(claim.Message.Run, claim.Message.Chunk)
	found, err := conn.Query(ctx, peek.SQL, peek.Args...)
	next, err := collect(found, err, claim)
	if err != nil {
		return undone{}, fmt.Errorf("look up the undo of chunk %d of run %s: %w",
			claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	return next, nil
}

// take bounds what a batch consumes.
func (u undone) take(rows int64) undone {
	u.piece.Take = min(rows, u.piece.Rest())
	return u
}

// last tells whether nothing is left after the batch.
func (u undone) last() bool { return u.left == 0 || u.left == 1 && u.piece.Take == u.piece.Rest() }

func (b *Back) apply(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, u undone) (Outcome, undone, error) {
	begun := time.Now()
	var outcome Outcome
	var next undone
	err := postgres.Read(conn.SendBatch(ctx, b.pipeline(*claim, u)), func(results pgx.BatchResults) (err error) {
		outcome, next, err = b.read(results, claim, u)
		return err
	})
	if err != nil {
		return Outcome{}, undone{}, fmt.Errorf("restore batch %d of chunk %d of run %s: %w",
			u.piece.Seq, claim.Message.Chunk, claim.Message.Run, failed(err, u.piece.Take, func() (string, keyset.Point, error) {
				return b.within(ctx, conn, *claim, u.piece)
			}))
	}
	claim.Seq++
	claim.Restored += u.piece.Take
	claim.Steering = outcome.Steering
	outcome.Took = time.Since(begun)
	return outcome, next, nil
}

func (b *Back) pipeline(claim ledger.Claim, u undone) *pgx.Batch {
	pipeline := &pgx.Batch{}
	sql, args := claim.Advance(ledger.Step{Done: u.last(), Timeout: b.Timeout})
	pipeline.Queue(sql, args...)
	if u.left == 0 {
		return pipeline
	}
	sql, args = settings(claim.Message, generic, !u.last())
	pipeline.Queue(sql, args...)
	restore := statement.Restore(b.Change, u.piece)
	sql, args = claim.CountBack(restore.SQL, restore.Args)
	pipeline.Queue(sql, args...)
	held, consume := statement.Held(b.Change, u.piece), statement.Consume(u.piece)
	pipeline.Queue(held.SQL, held.Args...)
	pipeline.Queue(consume.SQL, consume.Args...)
	peek := statement.Peek(u.piece.Run, u.piece.Chunk)
	pipeline.Queue(peek.SQL, peek.Args...)
	return pipeline
}

func (b *Back) read(results pgx.BatchResults, claim *ledger.Claim, u undone) (Outcome, undone, error) {
	outcome := Outcome{Keys: u.piece.Take, Done: u.last()}
	if u.left == 0 {
		_, err := results.Exec()
		return outcome, undone{}, err
	}
	steering, err := begin(results)
	if err != nil {
		return outcome, undone{}, err
	}
	outcome.Steering = steering
	var conflicts int64
	if err := results.QueryRow().Scan(&outcome.Affected, &conflicts); err != nil {
		return outcome, undone{}, err
	}
	for range 2 { // held, consume
		if _, err := results.Exec(); err != nil {
			return outcome, undone{}, err
		}
	}
	found, err := results.Query()
	next, err := collect(found, err, claim)
	return outcome, next, err
}

// collect reads the answer to a peek.
func collect(found pgx.Rows, err error, claim *ledger.Claim) (undone, error) {
	if err != nil {
		return undone{}, err
	}
	pieces, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (statement.Piece, error) {
		p := statement.Piece{Place: statement.Place{Run: claim.Message.Run, Chunk: claim.Message.Chunk}}
		return p, row.Scan(&p.Seq, &p.Part, &p.Rows, &p.Done)
	})
	if err != nil || len(pieces) == 0 {
		return undone{}, err
	}
	return undone{piece: pieces[0], left: len(pieces)}, nil
}
