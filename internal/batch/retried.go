package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Retried applies the rejected rows of one chunk that are due, one a batch. It leaves the chunk's position alone: when none is
// due any more, the claim says so, and the chunk goes on from there.
type Retried struct {
	Runner
	Computed *Transformed // computes the row, where a Go function does
	next     keyset.Point // nil: has to be looked up
}

// Step applies the next row that is due. Its reject is consumed in that transaction, also where nothing had to be written.
func (r *Retried) Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, _ int64) (Outcome, error) {
	if r.next == nil {
		sql, args := claim.DueReject()
		next, err := due(conn.QueryRow(ctx, sql, args...))
		if err != nil {
			return Outcome{}, fmt.Errorf("look up the rejects of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
		}
		r.next = next
	}
	if r.next == nil {
		claim.Due = false
		return Outcome{Affected: claim.Affected}, nil
	}
	row := r.next
	r.next = nil
	return r.apply(ctx, conn, claim, row)
}

func (r *Retried) apply(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row keyset.Point) (Outcome, error) {
	begun := time.Now()
	form := r.form(conn)
	update, err := r.update(ctx, conn, *claim, row)
	if err != nil {
		return Outcome{}, fmt.Errorf("retry batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run, err)
	}
	outcome, next, err := r.send(ctx, conn, *claim, row, update, form)
	switch raised := postgres.Raised(err, failure.RowsChanged); {
	case raised && r.Computed != nil:
		outcome, next, err = r.locked(ctx, conn, *claim, row, form)
	case raised && form == statement.Compared:
		outcome, next, err = r.send(ctx, conn, *claim, row, update, statement.Locked)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("retry batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run,
			failed(err, 1, func() (string, keyset.Point, error) { return statement.At(r.Change.Key, row), row, nil }))
	}
	outcome.Keys, outcome.Took = 1, time.Since(begun)
	claim.Seq++
	claim.Affected, claim.Steering = outcome.Affected, outcome.Steering
	r.next, claim.Due = next, next != nil
	return outcome, nil
}

// updating builds the update of the row.
type updating func(form statement.Form) statement.Query

func (r *Retried) update(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, row keyset.Point) (updating, error) {
	if r.Computed == nil {
		return func(form statement.Form) statement.Query { return statement.One(r.Change, row, form) }, nil
	}
	computed, err := r.Computed.one(ctx, conn, claim, row)
	return func(form statement.Form) statement.Query { return statement.Write(r.Change, computed, form) }, err
}

func (r *Retried) send(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, row keyset.Point, update updating, form statement.Form) (
	outcome Outcome, next keyset.Point, err error,
) {
	locks := statement.LockOne(r.Change, row, form)
	err = postgres.Read(conn.SendBatch(ctx, r.pipeline(claim, row, update(form), form, locks)), func(results pgx.BatchResults) (err error) {
		outcome, next, err = r.read(results, len(locks))
		return err
	})
	return outcome, next, err
}

func (r *Retried) pipeline(claim ledger.Claim, row keyset.Point, update statement.Query, form statement.Form, locks []statement.Query) *pgx.Batch {
	pipeline := &pgx.Batch{}
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(ledger.Step{Timeout: r.Timeout}))
	queue(settings(claim.Message, custom, r.early(false)))
	for _, lock := range locks {
		queue(lock.SQL, lock.Args)
	}
	r.change(pipeline, claim, row, update, form)
	return pipeline
}

// change is what comes behind the locks: the row, and what goes with it.
func (r *Retried) change(pipeline *pgx.Batch, claim ledger.Claim, row keyset.Point, update statement.Query, form statement.Form) {
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	if r.Change.Undo {
		update = statement.Keep(r.Change, keyset.Range{Lo: row, Hi: row}, update,
			statement.Place{Run: claim.Message.Run, Chunk: claim.Message.Chunk, Seq: claim.Seq})
	}
	parts := r.parts(form)
	parts.Found = parts.Found || r.Computed != nil
	queue(claim.Count(update.SQL, update.Args, parts))
	queue(claim.Consume(row))
	queue(claim.DueReject())
}

// locked sends a row that a function computes while it is locked: users have changed it, or a trigger keeps it.
func (r *Retried) locked(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, row keyset.Point, form statement.Form) (outcome Outcome, next keyset.Point, err error) {
	steering, err := r.Computed.locked(ctx, conn, claim, ledger.Step{Timeout: r.Timeout}, row, func(now entry) *pgx.Batch {
		given := stretch{entries: []entry{now}}.computed()
		given.Held = true
		pipeline := &pgx.Batch{}
		r.change(pipeline, claim, row, statement.Write(r.Change, given, form), form)
		return pipeline
	}, func(results pgx.BatchResults) (err error) {
		next, err = counted(results, &outcome)
		return err
	})
	outcome.Steering = steering
	return outcome, next, err
}

func (r *Retried) read(results pgx.BatchResults, locks int) (outcome Outcome, next keyset.Point, err error) {
	if outcome.Steering, err = beginLocked(results, locks); err != nil {
		return outcome, nil, err
	}
	next, err = counted(results, &outcome)
	return outcome, next, err
}

// counted reads the answers to change.
func counted(results pgx.BatchResults, outcome *Outcome) (next keyset.Point, err error) {
	if err := results.QueryRow().Scan(&outcome.Affected, &outcome.Bytes); err != nil {
		return nil, err
	}
	if _, err := results.Exec(); err != nil { // consume
		return nil, err
	}
	return due(results.QueryRow())
}

// due reads the key of a reject; nil where none is due.
func due(answer pgx.Row) (key keyset.Point, err error) {
	if err = answer.Scan(&key); errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return key, err
}

// Pass leaves the row rejected, with its new error.
func (r *Retried) Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error {
	r.next = nil
	if err := r.pass(ctx, conn, claim, ledger.Step{Timeout: r.Timeout}, &row, nil); err != nil {
		return err
	}
	claim.Seq++
	return nil
}
