package batch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
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
	Reads    Connection      // for what is read while a batch is written; nil: that is read before, by the connection of the batches
	Oldest   time.Duration   // of what is written or passed over, since it was computed; 0: oldest
	calm     int64           // keys of the next batch where users met the last one; 0: they did not
	kept     bool            // a trigger of the table keeps rows as they are
	ready    stretch         // computed: it is written next
	ahead    <-chan computed // the one behind it
	stop     func()          // its read; nil: there is none beside the batches
	calls    sync.Mutex
}

// computed is a stretch that the function has worked on, or the error.
type computed struct {
	stretch stretch
	err     error
	lost    bool // it is an error of the connection for reads, and no row is the reason
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
	if t.ready.left() && t.old(t.ready) {
		t.drop()
	}
	if !t.ready.left() {
		next, err := t.next(ctx, conn, claim, rows)
		if err != nil {
			t.Source.reset()
			return Outcome{}, fmt.Errorf("compute batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run, err)
		}
		t.ready = next
	}
	if t.ready.refused(t.Change.Key) != nil { // it may be another by now
		if _, err := t.again(ctx, conn, claim, 1, 1); err != nil {
			return Outcome{}, err
		}
	}
	t.prefetch(ctx, conn, claim, rows)
	return t.apply(ctx, conn, claim, rows)
}

// next gives the stretch that was begun ahead, or one that is read now. A connection for reads that is lost, or cannot be had, is done without: what
// it was asked for has no effect, and is asked once more.
func (t *Transformed) next(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (stretch, error) {
	if t.ahead != nil {
		got := t.answer()
		switch {
		case got.lost:
			t.Reads.Drop()
			t.Reads = nil
		case got.err != nil || !t.old(got.stretch):
			return got.stretch, got.err
		}
		t.Source.reset()
	}
	t.begin(ctx, conn, claim, rows)
	got := t.answer()
	return got.stretch, got.err
}

// answer waits for what was begun.
func (t *Transformed) answer() computed {
	got := <-t.ahead
	if t.ahead = nil; t.stop != nil {
		t.stop()
		t.stop = nil
	}
	return got
}

// prefetch begins the stretch behind the one that is written now. Not before the passes of a chunk are chosen: it might be of the
// wrong order.
func (t *Transformed) prefetch(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) {
	switch {
	case t.ahead != nil || claim.Passes == 0 || t.ready.done || !t.Source.ahead():
	case t.Reads == nil:
		t.begin(ctx, conn, claim, rows)
	default:
		t.beside(ctx, *claim, rows)
	}
}

// begin reads a stretch and has the function work on it. An error waits as well, until what is before it is written.
func (t *Transformed) begin(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) {
	answer := make(chan computed, 1)
	t.ahead = answer
	within := t.telling(claim)
	read, err := t.Source.read(ctx, conn, t.Runner, claim, rows)
	if err != nil {
		answer <- computed{err: err}
		return
	}
	go func() { answer <- t.worked(ctx, read, within) }()
}

// worked has the function work on a stretch.
func (t *Transformed) worked(ctx context.Context, read stretch, within func(stretch) string) computed {
	begun := time.Now()
	err := t.compute(ctx, read.entries)
	read.call, read.keys, read.since = time.Since(begun), len(read.entries), time.Now()
	if err != nil {
		err = read.broken(within, err)
	}
	return computed{stretch: read, err: err}
}

// telling says which rows a stretch has that is begun now.
func (t *Transformed) telling(claim *ledger.Claim) func(stretch) string {
	from, chunk := claim.From(), claim.Message.Range()
	if len(t.ready.entries) > 0 {
		from = t.ready.entries[len(t.ready.entries)-1].key
	}
	return func(s stretch) string { return s.within(t.Change.Key, chunk, from) }
}

// compute has the function work on the rows in scope.
func (t *Transformed) compute(ctx context.Context, entries []entry) error {
	t.calls.Lock() // a function need not bear to be called twice at once: what users changed is computed beside what comes next
	defer t.calls.Unlock()
	return t.call(ctx, t.Timeout, entries)
}

// call is compute within a limit, for who has the calls.
func (t *Transformed) call(ctx context.Context, limit time.Duration, entries []entry) error {
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
	results, err := t.Function.Call(ctx, limit, t.Form.Rows(values))
	for i, result := range results {
		entries[at[i]].result = result
	}
	return err
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
		rest = stretch{done: true, end: piece.end, since: piece.since}
	}
	t.ready = rest
	return nil
}
