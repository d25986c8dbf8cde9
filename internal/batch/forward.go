package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Target is what a batch covers.
type Target struct {
	span  statement.Span
	last  keyset.Point // the last key in it; nil: there is none
	Keys  int64        // keys in it when it was looked up
	Final bool         // nothing of the chunk is left after it
}

// Forward applies the batches of one chunk, one after the other.
type Forward struct {
	Runner
	next *Target // nil: has to be looked up
}

// Step applies the next batch of the claim, of at most rows keys.
func (f *Forward) Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (Outcome, error) {
	return f.ahead(ctx, conn, claim, &f.next, rows, f.Apply)
}

// Runner runs the batches of one chunk.
type Runner struct {
	Change  change.Change
	Timeout time.Duration // of each statement; below the lease
}

// ahead works on the target that the batch before has looked up, or on one that is looked up now, and keeps the one behind it.
func (r Runner) ahead(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, next **Target, rows int64,
	work func(context.Context, *pgx.Conn, *ledger.Claim, Target, int64) (Outcome, Target, error),
) (Outcome, error) {
	if *next == nil || claim.Limited && (*next).Keys > 2*rows { // it was looked up when more was granted
		target, err := r.Find(ctx, conn, *claim, rows)
		if err != nil {
			return Outcome{}, err
		}
		*next = &target
	}
	outcome, behind, err := work(ctx, conn, claim, **next, rows)
	if *next = &behind; err != nil {
		*next = nil
	}
	return outcome, err
}

// Find looks up what the next batch of a claim covers, without changing anything.
func (r Runner) Find(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, rows int64) (Target, error) {
	query := statement.Next(r.Change, claim.From(), claim.Message.Hi, rows)
	args := append([]any{pgx.QueryExecModeCacheDescribe}, query.Args...) // planned for the very range
	target, err := read(conn.QueryRow(ctx, query.SQL, args...), claim.From(), claim.Message.Hi, rows)
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
	outcome, next, err := held(r.form(conn), func(form statement.Form) (Outcome, Target, error) {
		return r.send(ctx, conn, *claim, target, rows, form)
	})
	if err != nil {
		return Outcome{}, Target{}, r.refused("apply", *claim, target, err)
	}
	outcome.Took = time.Since(begun)
	claim.Scanned += target.Keys
	reach(claim, target, outcome)
	return outcome, next, nil
}

// held sends a batch in its form. One that compares what it has read with what it overwrites is sent once more with the rows locked,
// where users have changed one in between.
func held[Next any](form statement.Form, send func(statement.Form) (Outcome, Next, error)) (Outcome, Next, error) {
	outcome, next, err := send(form)
	if form == statement.Compared && postgres.Raised(err, failure.RowsChanged) {
		return send(statement.Locked)
	}
	return outcome, next, err
}

// refused says which batch was not committed, and where its rows are.
func (r Runner) refused(verb string, claim ledger.Claim, target Target, err error) error {
	return fmt.Errorf("%s batch %d of chunk %d of run %s: %w", verb, claim.Seq, claim.Message.Chunk, claim.Message.Run,
		failed(err, target.Keys, func() (string, keyset.Point, error) {
			return statement.Within(r.Change.Key, target.span.Range), target.last, nil
		}))
}

// reach moves the claim to the end of the target, as the commit has moved the ledger.
func reach(claim *ledger.Claim, target Target, outcome Outcome) {
	claim.Seq++
	claim.Position = target.span.Hi
	claim.Affected, claim.Steering = outcome.Affected, outcome.Steering
}

// parts are those of the data statements.
func (r Runner) parts(form statement.Form) ledger.Parts {
	return ledger.Parts{Found: form == statement.Compared, Image: r.Change.Undo, Pairs: r.Change.Join != nil}
}

// early tells whether a commit may come before it is on the disk.
func (r Runner) early(last bool) bool { return !last && !r.Change.Volatile }

// form chooses how the batch gets at what it overwrites.
func (r Runner) form(conn *pgx.Conn) statement.Form {
	return statement.FormFor(r.Change, postgres.Major(conn))
}

func (r Runner) send(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, target Target, rows int64, form statement.Form) (
	outcome Outcome, next Target, err error,
) {
	updates := r.updates(claim, target, form)
	var locks []statement.Query
	if len(updates) > 0 {
		locks = statement.Lock(r.Change, target.span, form)
	}
	err = postgres.Read(conn.SendBatch(ctx, r.pipeline(claim, target, rows, form, locks, updates)), func(results pgx.BatchResults) (err error) {
		outcome, next, err = r.read(results, claim, target, rows, len(locks), len(updates))
		return err
	})
	return outcome, next, err
}

func (r Runner) pipeline(claim ledger.Claim, target Target, rows int64, form statement.Form, locks, updates []statement.Query) *pgx.Batch {
	pipeline := &pgx.Batch{}
	sql, args := claim.Advance(ledger.Step{
		Keys: target.Keys, Reached: target.span.Hi, Done: target.Final, Timeout: r.Timeout,
	})
	pipeline.Queue(sql, args...)
	sql, args = settings(claim.Message, custom, r.early(target.Final))
	pipeline.Queue(sql, args...)
	for _, lock := range locks {
		pipeline.Queue(lock.SQL, lock.Args...)
	}
	for _, update := range updates {
		sql, args := claim.Count(update.SQL, update.Args, r.parts(form))
		pipeline.Queue(sql, args...)
	}
	switch {
	case !target.Final:
		next := statement.Next(r.Change, target.span.Hi, claim.Message.Hi, rows)
		pipeline.Queue(next.SQL, next.Args...)
	case r.Change.Undo:
		sql, args := claim.Weigh()
		pipeline.Queue(sql, args...)
	}
	return pipeline
}

// updates is empty where the look-up saw no key: the batch only closes the chunk.
func (r Runner) updates(claim ledger.Claim, target Target, form statement.Form) []statement.Query {
	if target.Keys == 0 {
		return nil
	}
	return r.kept(claim, target, statement.Apply(r.Change, target.span, form))
}

// kept has the statements of a batch keep what they overwrite, where the change has undo.
func (r Runner) kept(claim ledger.Claim, target Target, queries []statement.Query) []statement.Query {
	if !r.Change.Undo {
		return queries
	}
	for i := range queries {
		queries[i] = statement.Keep(r.Change, target.span.Range, queries[i], statement.Place{
			Run: claim.Message.Run, Chunk: claim.Message.Chunk, Seq: claim.Seq, Part: i,
		})
	}
	return queries
}

func (r Runner) read(results pgx.BatchResults, claim ledger.Claim, target Target, rows int64, locks, updates int) (Outcome, Target, error) {
	steering, err := beginLocked(results, locks)
	outcome := Outcome{Keys: target.Keys, Affected: claim.Affected, Done: target.Final, Steering: steering}
	if err != nil {
		return outcome, Target{}, err
	}
	for range updates {
		var bytes int64
		if err := results.QueryRow().Scan(&outcome.Affected, &bytes); err != nil {
			return outcome, Target{}, err
		}
		outcome.Bytes += bytes
	}
	if target.Final {
		return outcome, Target{}, nil // an error of what is left is told when the results are closed
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
		return Target{span: span, last: key, Keys: keys, Final: true}, nil
	}
	return Target{span: statement.Span{Range: keyset.Range{Lo: from, Hi: key}, Common: withFrom}, last: key, Keys: keys}, nil
}
