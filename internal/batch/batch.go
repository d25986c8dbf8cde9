// Package batch applies one batch of a chunk: one transaction, one round trip.
//
// It owns the pipeline {advance the ledger; change the rows; find the end of the next batch} and what its answer
// means. It leaves the size of a batch to pace, retries and exits to worker. Invariants: the ledger is advanced
// first, so nothing behind it commits for a stale claim; an error means that nothing of the batch is committed,
// unless its class is failure.Unknown; no row leaves Postgres, so memory does not depend on rows.
package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Target is what a batch covers.
type Target struct {
	span  statement.Span
	Keys  int64 // keys in it when it was looked up
	Final bool  // nothing of the chunk is left after it
}

// Outcome is what a committed batch did.
type Outcome struct {
	Keys     int64
	Affected int64 // rows written in the chunk so far
	Done     bool  // the chunk is COMPLETED
	Took     time.Duration
}

// Runner runs the batches of one chunk.
type Runner struct {
	Change  change.Change
	Timeout time.Duration // of each statement; below the lease
}

// Find looks up what the next batch of a claim covers, without changing anything.
func (r Runner) Find(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, rows int64) (Target, error) {
	query := statement.Next(r.Change, claim.From(), claim.Message.Hi, rows)
	target, err := read(conn.QueryRow(ctx, query.SQL, query.Args...), claim.From(), claim.Message.Hi, rows)
	if err != nil {
		return target, fmt.Errorf("look up a batch of chunk %d of run %s: %w",
			claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	return target, nil
}

// Apply commits the target and moves the claim, and gives the target after it (of at most rows keys).
func (r Runner) Apply(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, target Target, rows int64) (
	Outcome, Target, error,
) {
	begun := time.Now()
	results := conn.SendBatch(ctx, r.pipeline(*claim, target, rows))
	outcome, next, err := r.read(results, *claim, target, rows)
	if closing := results.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return Outcome{}, Target{}, fmt.Errorf("apply batch %d of chunk %d of run %s: %w",
			claim.Seq, claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	outcome.Took = time.Since(begun)
	claim.Seq++
	claim.Position = target.span.Hi
	claim.Scanned += target.Keys
	claim.Affected = outcome.Affected
	return outcome, next, nil
}

func (r Runner) pipeline(claim ledger.Claim, target Target, rows int64) *pgx.Batch {
	pipeline := &pgx.Batch{}
	sql, args := claim.Advance(ledger.Step{
		Keys: target.Keys, Reached: target.span.Hi, Done: target.Final, Timeout: r.Timeout,
	})
	pipeline.Queue(sql, args...)
	for _, update := range r.updates(target) {
		sql, args := claim.Count(update.SQL, update.Args)
		pipeline.Queue(sql, args...)
	}
	if !target.Final {
		next := statement.Next(r.Change, target.span.Hi, claim.Message.Hi, rows)
		pipeline.Queue(next.SQL, next.Args...)
	}
	return pipeline
}

// updates is empty where the look-up saw no key: the batch only closes the chunk.
func (r Runner) updates(target Target) []statement.Query {
	if target.Keys == 0 {
		return nil
	}
	return statement.Update(r.Change, target.span)
}

func (r Runner) read(results pgx.BatchResults, claim ledger.Claim, target Target, rows int64) (Outcome, Target, error) {
	outcome := Outcome{Keys: target.Keys, Affected: claim.Affected, Done: target.Final}
	if _, err := results.Exec(); err != nil {
		return outcome, Target{}, err
	}
	for range r.updates(target) {
		if err := results.QueryRow().Scan(&outcome.Affected); err != nil {
			return outcome, Target{}, err
		}
	}
	if target.Final {
		return outcome, Target{}, nil
	}
	next, err := read(results.QueryRow(), target.span.Hi, claim.Message.Hi, rows)
	return outcome, next, err
}

// read turns the answer of statement.Next into a target. Fewer keys than asked for means that the chunk ends here:
// the target then reaches to the chunk's end itself. Keys are in order, so what both ends share is what each of them
// shares with a key between.
func read(answer pgx.Row, from, hi keyset.Point, rows int64) (Target, error) {
	var key keyset.Point
	var keys int64
	var withFrom, withHi int
	err := answer.Scan(&key, &keys, &withFrom, &withHi)
	if errors.Is(err, pgx.ErrNoRows) {
		return Target{span: statement.Span{Range: keyset.Range{Lo: from, Hi: hi}}, Final: true}, nil
	}
	if err != nil {
		return Target{}, err
	}
	if keys < rows || key.Same(hi) {
		span := statement.Span{Range: keyset.Range{Lo: from, Hi: hi}, Common: min(withFrom, withHi)}
		return Target{span: span, Keys: keys, Final: true}, nil
	}
	return Target{span: statement.Span{Range: keyset.Range{Lo: from, Hi: key}, Common: withFrom}, Keys: keys}, nil
}
