package batch

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Striped applies a chunk window by window: a window's keys are listed once, and gone over in passes of every n-th key. After
// a pass has committed, Postgres prunes what it has left dead on each page, and the next one finds room there.
type Striped struct {
	Runner
	Window statement.Window
	next   *stripes // nil: has to be looked up
}

// stripes is what comes next; left counts the stripes that were seen, itself included (at most 2), so 0 means that a
// window has to be opened.
type stripes struct {
	stripe statement.Stripe
	left   int
}

func (s stripes) take(rows int64) stripes {
	s.stripe.Take = min(rows, s.stripe.Rest())
	return s
}

// last tells whether nothing of the window is left after the batch.
func (s stripes) last() bool { return s.left == 1 && s.stripe.Take == s.stripe.Rest() }

// reached is where the ledger's position moves: nowhere before the window is done.
func (s stripes) reached() keyset.Point {
	if s.last() {
		return s.stripe.Reached
	}
	return nil
}

// Step applies the next batch of the claim, of at most rows rows, or opens the next window, which counts as a batch of none.
func (s *Striped) Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (Outcome, error) {
	if s.next == nil {
		next, err := s.peek(ctx, conn, *claim)
		if err != nil {
			return Outcome{}, err
		}
		s.next = &next
	}
	outcome, next, err := s.step(ctx, conn, claim, s.next.take(rows))
	if s.next = &next; err != nil {
		s.next = nil
	}
	return outcome, err
}

func (s *Striped) step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, next stripes) (Outcome, stripes, error) {
	if next.left > 0 {
		return s.apply(ctx, conn, claim, next)
	}
	opened, err := s.open(ctx, conn, claim)
	if err != nil || opened.left > 0 {
		return Outcome{}, opened, err
	}
	// No key is left.
	rest := Target{span: statement.Span{Range: keyset.Range{Lo: claim.From(), Hi: claim.Message.Hi}}, Final: true}
	outcome, _, err := s.Apply(ctx, conn, claim, rest, 0)
	return outcome, stripes{}, err
}

func (s *Striped) peek(ctx context.Context, conn *pgx.Conn, claim ledger.Claim) (stripes, error) {
	peek := statement.PeekStripe(claim.Message.Run, claim.Message.Chunk)
	found, err := conn.Query(ctx, peek.SQL, peek.Args...)
	next, err := seen(found, err, claim)
	if err != nil {
		return stripes{}, fmt.Errorf("look up the stripes of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	return next, nil
}

// open lists the keys of the next window.
func (s *Striped) open(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim) (stripes, error) {
	pipeline := &pgx.Batch{}
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(ledger.Step{Timeout: s.Timeout}))
	queue(settings(claim.Message, custom, s.early(false)))
	within := keyset.Range{Lo: claim.From(), Hi: claim.Message.Hi}
	open := statement.Open(s.Change, claim.Message.Run, claim.Message.Chunk, within, s.Window)
	queue(open.SQL, open.Args)
	peek := statement.PeekStripe(claim.Message.Run, claim.Message.Chunk)
	queue(peek.SQL, peek.Args)
	var next stripes
	err := postgres.Read(conn.SendBatch(ctx, pipeline), func(results pgx.BatchResults) (err error) {
		next, err = opened(results, claim)
		return err
	})
	if err != nil {
		return stripes{}, fmt.Errorf("list the keys of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	claim.Seq++
	return next, nil
}

func opened(results pgx.BatchResults, claim *ledger.Claim) (stripes, error) {
	steering, err := begin(results)
	if err != nil {
		return stripes{}, err
	}
	if _, err := results.Exec(); err != nil { // open
		return stripes{}, err
	}
	claim.Steering = steering
	found, err := results.Query()
	return seen(found, err, *claim)
}

func (s *Striped) apply(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, next stripes) (Outcome, stripes, error) {
	begun := time.Now()
	outcome, after, err := held(s.form(conn), func(form statement.Form) (Outcome, stripes, error) {
		return s.send(ctx, conn, *claim, next, form)
	})
	if err != nil {
		return Outcome{}, stripes{}, fmt.Errorf("apply batch %d of chunk %d of run %s: %w",
			claim.Seq, claim.Message.Chunk, claim.Message.Run, failed(err, next.stripe.Take, func() (string, keyset.Point, error) {
				return s.within(ctx, conn, *claim, next.stripe)
			}))
	}
	outcome.Took = time.Since(begun)
	claim.Seq++
	claim.Scanned += next.stripe.Take
	claim.Affected, claim.Steering = outcome.Affected, outcome.Steering
	if next.last() {
		claim.Position = next.stripe.Reached
	}
	return outcome, after, nil
}

// send makes the batch one transaction. A batch that fails is to be repeated from what the ledger holds.
func (s *Striped) send(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, next stripes, form statement.Form) (outcome Outcome, after stripes, err error) {
	before := s.before(next.stripe, form)
	err = postgres.Read(conn.SendBatch(ctx, s.pipeline(claim, next, form, before)), func(results pgx.BatchResults) (err error) {
		outcome, after, err = s.read(results, claim, next, len(before))
		return err
	})
	return outcome, after, err
}

// before is what stands before the change: rows are locked, or how they are looked up is settled. In how many partitions a key is looked for Postgres tells
// only when it has it, so it takes that for dearer than a walk of the whole table. Other tables may have no index to be looked up by.
func (s *Striped) before(stripe statement.Stripe, form statement.Form) []statement.Query {
	if s.Change.Partitioned && s.Change.Join == nil {
		return []statement.Query{{SQL: byKey}}
	}
	return statement.LockStripe(s.Change, stripe, form)
}

// done tells whether nothing of the chunk is left after the batch.
func (s *Striped) done(claim ledger.Claim, next stripes) bool {
	return next.last() && next.stripe.Reached.Same(claim.Message.Hi)
}

func (s *Striped) pipeline(claim ledger.Claim, next stripes, form statement.Form, before []statement.Query) *pgx.Batch {
	pipeline, table := &pgx.Batch{}, statement.Table(s.Change.Table)
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	done := s.done(claim, next)
	queue(claim.Advance(ledger.Step{Keys: next.stripe.Take, Reached: next.reached(), Done: done, Timeout: s.Timeout}))
	queue(settings(claim.Message, generic, s.early(done)))
	for _, query := range before {
		queue(query.SQL, query.Args)
	}
	queue(claim.BeforeHot(table, s.Change.Partitioned))
	update := statement.Striped(s.Change, next.stripe, form)
	if s.Change.Undo {
		update = statement.Keep(s.Change, keyset.Range{Lo: claim.From(), Hi: claim.Message.Hi}, update,
			statement.Place{Run: claim.Message.Run, Chunk: claim.Message.Chunk, Seq: claim.Seq})
	}
	queue(claim.Count(update.SQL, update.Args, s.parts(form)))
	queue(claim.CountHot(table, s.Change.Partitioned))
	consume, peek := statement.ConsumeStripe(next.stripe), statement.PeekStripe(claim.Message.Run, claim.Message.Chunk)
	queue(consume.SQL, consume.Args)
	queue(peek.SQL, peek.Args)
	if done && s.Change.Undo {
		queue(claim.Weigh())
	}
	return pipeline
}

func (s *Striped) read(results pgx.BatchResults, claim ledger.Claim, next stripes, before int) (Outcome, stripes, error) {
	steering, err := beginLocked(results, before)
	outcome := Outcome{Keys: next.stripe.Take, Done: s.done(claim, next), Steering: steering}
	if err != nil {
		return outcome, stripes{}, err
	}
	if _, err := results.Exec(); err != nil { // what hot begins at
		return outcome, stripes{}, err
	}
	if err := results.QueryRow().Scan(&outcome.Affected, &outcome.Bytes); err != nil {
		return outcome, stripes{}, err
	}
	for range 2 { // hot, consume
		if _, err := results.Exec(); err != nil {
			return outcome, stripes{}, err
		}
	}
	found, err := results.Query()
	after, err := seen(found, err, claim)
	return outcome, after, err
}

// seen reads the answer to a peek.
func seen(found pgx.Rows, err error, claim ledger.Claim) (stripes, error) {
	all, err := listed(found, err, claim)
	if err != nil || len(all) == 0 {
		return stripes{}, err
	}
	return stripes{stripe: all[0], left: len(all)}, nil
}

func listed(found pgx.Rows, err error, claim ledger.Claim) ([]statement.Stripe, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (statement.Stripe, error) {
		s := statement.Stripe{Run: claim.Message.Run, Chunk: claim.Message.Chunk, Within: keyset.Range{Lo: claim.From()}}
		return s, row.Scan(&s.Part, &s.Rows, &s.Done, &s.Reached, &s.Within.Hi)
	})
}
