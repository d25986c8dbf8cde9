package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/runtest"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// fleet is some runs, each over a table of its own, workers that take the next message of one queue, and a governor for each run
// that sends what is to be sent: all that a stack does to chunks, but for planner, SQS and DynamoDB.
type fleet struct {
	*bundle
	runs   []string
	chunks int
	queue  chan chunk.Message
	group  *errgroup.Group
	ctx    context.Context //nolint:containedctx // of the whole fleet
	stop   context.CancelFunc
}

// newFleet makes tables of so many rows, and a run over each, cut into chunks of so many keys. slow is how long a row takes.
func newFleet(t *testing.T, db pgtest.Database, tableRows, chunkRows int64, slow time.Duration, runs ...string) *fleet {
	t.Helper()
	f := &fleet{bundle: setup(t, db, counters), runs: runs, queue: make(chan chunk.Message, 10_000)}
	f.exec(t, "TRUNCATE backfill.runs, backfill.ledger")
	if slow > 0 {
		f.exec(t, fmt.Sprintf("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(%f); RETURN new; END $$", slow.Seconds()))
	}
	for _, id := range runs {
		table := pgx.Identifier{id}.Sanitize()
		db.Exec(t, fmt.Sprintf("CREATE TABLE %[1]s (id bigint PRIMARY KEY, n int NOT NULL); INSERT INTO %[1]s SELECT g, g FROM generate_series(1, %[2]d) g; ANALYZE %[1]s", table, tableRows))
		if slow > 0 {
			f.exec(t, "CREATE TRIGGER slow BEFORE UPDATE ON "+table+" FOR EACH ROW EXECUTE FUNCTION slow()")
		}
		f.open(t, id, chunkRows)
	}
	ctx, stop := context.WithCancel(t.Context())
	f.group, f.ctx = errgroup.WithContext(ctx)
	f.stop = stop
	t.Cleanup(stop)
	return f
}

// open begins a run and sends its chunks.
func (f *fleet) open(t *testing.T, id string, chunkRows int64) {
	t.Helper()
	c := counters
	c.Throttle = runtest.Unlimited() // the machine is shared with other tests
	c.Table, c.ChunkRows = change.Table{Schema: "public", Name: id}, chunkRows
	bound, err := boundary.Bound(t.Context(), f.conn, c, nil)
	must(t, err)
	window, err := boundary.Cut(t.Context(), f.conn, c, nil, bound, 10_000)
	must(t, err)
	_, err = f.ledger.Open(t.Context(), ledger.Run{Run: id, Backfill: "test", Change: c, Bound: bound})
	must(t, err)
	for i, part := range window.Ranges {
		f.chunks++
		f.queue <- chunk.Chunk{Run: id, Number: int64(i) + 1, Range: part}.Message(1)
	}
}

// begin lets so many workers work, and the governors beat.
func (f *fleet) begin(t *testing.T, workers int) {
	t.Helper()
	for range workers {
		w := f.worker(t, f.db.URL)
		f.group.Go(func() error {
			for {
				select {
				case <-f.ctx.Done():
					return nil
				case message := <-f.queue:
					if err := w.Work(f.ctx, message); err != nil && f.ctx.Err() == nil {
						return err
					}
				}
			}
		})
	}
	for _, id := range f.runs {
		entries := ledger.New(f.session(t, f.db.URL), f.terms)
		f.group.Go(func() error { return f.govern(entries, id) })
	}
}

// govern sends again what was given back.
func (f *fleet) govern(entries *ledger.Ledger, id string) error {
	beats := time.NewTicker(100 * time.Millisecond)
	defer beats.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return nil
		case <-beats.C:
		}
		_, again, err := entries.Beat(f.ctx, id, 10)
		for _, a := range again {
			f.queue <- chunk.Message{Run: id, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send}
		}
		if err == nil && len(again) > 0 {
			err = entries.Sent(f.ctx, id, again)
		}
		if err != nil && f.ctx.Err() == nil {
			return err
		}
	}
}

// until waits for a condition of the database, as long as the workers may take on a busy machine.
func (f *fleet) until(t *testing.T, condition string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for met := false; !met; {
		must(t, f.conn.QueryRow(t.Context(), condition).Scan(&met))
		if f.ctx.Err() != nil || time.Now().After(deadline) {
			t.Fatalf("never true: %s (%v)", condition, context.Cause(f.ctx))
		}
	}
}

// end demands that every chunk gets done, and every row is written once.
func (f *fleet) end(t *testing.T) {
	t.Helper()
	f.until(t, fmt.Sprintf("SELECT count(*) = %d FROM backfill.ledger WHERE state = 'COMPLETED'", f.chunks))
	f.stop()
	must(t, f.group.Wait())
	for _, id := range f.runs {
		var wrong, rows, affected int64
		must(t, f.conn.QueryRow(t.Context(), fmt.Sprintf("SELECT count(*) FILTER (WHERE n <> id + 1), count(*) FROM %s", pgx.Identifier{id}.Sanitize())).Scan(&wrong, &rows))
		must(t, f.conn.QueryRow(t.Context(), "SELECT sum(affected)::bigint FROM backfill.ledger WHERE run = $1", id).Scan(&affected))
		if wrong != 0 || affected != rows {
			t.Errorf("%s: %d rows are wrong, %d counted of %d", id, wrong, affected, rows)
		}
	}
}

func (f *fleet) tune(t *testing.T, id string, tuning ledger.Tuning) {
	t.Helper()
	_, err := f.ledger.Tune(t.Context(), id, tuning)
	must(t, err)
}

func number(n int64) *int64 { return &n }
