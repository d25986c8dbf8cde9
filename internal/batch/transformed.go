package batch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"
	"backfill/internal/transform"

	"github.com/jackc/pgx/v5"
)

// Transformed applies a chunk whose values a Go function computes. Rows are read without locks, in a transaction of their own; the
// function is called with none open; what it gave is written where the row is as it was read. While a batch is written, the
// function works on the one behind it. A batch has the same guarantees as any other: what was written, what undo keeps and the
// position are one transaction.
type Transformed struct {
	Runner
	Function transform.Function
	Form     *transform.Form
	Source   Source
	calm     int64           // keys of the next batch where users met the last one; 0: they did not
	ready    stretch         // computed: it is written next
	ahead    <-chan computed // the one behind it
	calls    sync.Mutex
}

// computed is a stretch that the function has worked on, or the error.
type computed struct {
	stretch stretch
	err     error
}

// Source is the order in which the keys of a chunk are gone over.
type Source interface {
	// read reads what is behind the last stretch that it has read. After an error it stands where it stood.
	read(ctx context.Context, conn *pgx.Conn, r Runner, claim *ledger.Claim, rows int64) (stretch, error)
	// ahead tells whether more can be read before the last stretch is committed.
	ahead() bool
	// reset has it go on from what is committed.
	reset()
}

// Step applies the next batch of the claim, of at most rows keys.
func (t *Transformed) Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (Outcome, error) {
	if !t.ready.left() {
		next, err := t.next(ctx, conn, claim, rows)
		if err != nil {
			t.Source.reset()
			return Outcome{}, fmt.Errorf("compute batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run, err)
		}
		t.ready = next
	}
	if failed := t.ready.refused(t.Change.Key); failed != nil {
		return Outcome{}, fmt.Errorf("compute batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run, failed)
	}
	if err := t.prefetch(ctx, conn, claim, rows); err != nil {
		return Outcome{}, err
	}
	return t.apply(ctx, conn, claim, rows)
}

// next gives the stretch that was begun ahead, or one that is read now.
func (t *Transformed) next(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (stretch, error) {
	if t.ahead == nil {
		if err := t.begin(ctx, conn, claim, rows); err != nil {
			return stretch{}, err
		}
	}
	got := <-t.ahead
	t.ahead = nil
	return got.stretch, got.err
}

// prefetch begins the stretch behind the one that is written now. Not before the passes of a chunk are chosen: it might be of the
// wrong order.
func (t *Transformed) prefetch(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) error {
	if t.ahead != nil || claim.Passes == 0 || t.ready.done || !t.Source.ahead() {
		return nil
	}
	return t.begin(ctx, conn, claim, rows)
}

// begin reads a stretch and has the function work on it.
func (t *Transformed) begin(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) error {
	read, err := t.Source.read(ctx, conn, t.Runner, claim, rows)
	if err != nil {
		return err
	}
	from, chunk := claim.From(), claim.Message.Range()
	if len(t.ready.entries) > 0 {
		from = t.ready.entries[len(t.ready.entries)-1].key
	}
	within := func(s stretch) string { return s.within(t.Change.Key, chunk, from) }
	answer := make(chan computed, 1)
	t.ahead = answer
	go func() {
		begun := time.Now()
		err := t.compute(ctx, read.entries)
		read.call, read.keys = time.Since(begun), len(read.entries)
		if err != nil {
			err = read.broken(within, err)
		}
		answer <- computed{read, err}
	}()
	return nil
}

// compute has the function work on the rows in scope.
func (t *Transformed) compute(ctx context.Context, entries []entry) error {
	values, at := make([][]*string, 0, len(entries)), make([]int, 0, len(entries))
	for i, e := range entries {
		if !e.in {
			continue
		}
		values, at = append(values, e.row), append(at, i)
	}
	if len(values) == 0 {
		return nil
	}
	t.calls.Lock() // a function need not bear to be called twice at once: what users changed is computed beside what comes next
	defer t.calls.Unlock()
	results, err := t.Function.Call(ctx, t.Timeout, t.Form.Rows(values))
	for i, result := range results {
		entries[at[i]].result = result
	}
	return err
}

// attempts bounds how often a batch is cut in half because users change its rows: from the largest it is alone by then.
const attempts = 16

// apply commits what it can of what is ready. Where users changed rows meanwhile nothing is committed: those are read and computed
// again, and half of the batch is tried, since it takes less time.
func (t *Transformed) apply(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, most int64) (Outcome, error) {
	rows := most
	if t.calm > 0 {
		rows = min(most, t.calm)
	}
	for attempt := 1; ; attempt++ {
		if attempt > 1 || t.calm > 0 {
			if err := t.refresh(ctx, conn, claim, t.ready.entries[:min(rows, int64(len(t.ready.entries)))]); err != nil {
				return Outcome{}, err
			}
			if failed := t.ready.refused(t.Change.Key); failed != nil {
				return Outcome{}, fmt.Errorf("compute batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run, failed)
			}
		}
		piece, rest := t.ready.take(rows)
		outcome, err := t.write(ctx, conn, claim, piece)
		if err == nil {
			t.ready = rest
			t.passed(rows, most, attempt > 1)
			return outcome, nil
		}
		if !postgres.Raised(err, failure.RowsChanged) || attempt > attempts {
			return Outcome{}, fmt.Errorf("apply batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run,
				failed(err, int64(len(piece.entries)), func() (string, keyset.Point, error) {
					return piece.within(t.Change.Key, claim.Message.Range(), claim.From()), piece.entries[0].key, nil
				}))
		}
		rows = max(1, int64(len(piece.entries))/2)
	}
}

// passed remembers the size at which a batch got through beside users: the next one begins at twice that, and reads its rows again before, since
// those users are likely to have met it, too. Where they leave, the size is soon what it was.
func (t *Transformed) passed(rows, most int64, met bool) {
	if !met && t.calm == 0 {
		return
	}
	if t.calm = 2 * rows; t.calm >= most {
		t.calm = 0
	}
}

// Pass passes over the first row of what is ready, and notes it as rejected, in one transaction.
func (t *Transformed) Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error {
	if len(t.ready.entries) == 0 || !t.ready.entries[0].key.Same(row.Key) {
		return failure.New(failure.Transient, "the row that failed is not the next one of chunk %d of run %s", claim.Message.Chunk, claim.Message.Run)
	}
	piece, rest := t.ready.cut(1)
	step := ledger.Step{Keys: 1, Reached: piece.end, Timeout: t.Timeout}
	var consume *statement.Query
	if !piece.striped() {
		step.Reached = row.Key
	} else {
		query := statement.ConsumeStripe(piece.stripe)
		consume = &query
	}
	if err := t.pass(ctx, conn, claim, step, &row, consume); err != nil {
		return err
	}
	claim.Seq++
	claim.Scanned++
	if step.Reached != nil {
		claim.Position = step.Reached
	}
	if piece.done { // the end of the chunk is a batch of its own: none is done by passing over a row
		rest = stretch{done: true, end: piece.end}
	}
	t.ready = rest
	return nil
}
