package worker_test

import (
	"cmp"
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/faults/cluster"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// keeping is the counters' change with undo.
func keeping(chunkRows int64) change.Change {
	c := counters
	c.Undo, c.ChunkRows = true, chunkRows
	c.Set = []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}
	return c
}

// anew is a run over the table as it was.
func (b *bundle) anew(t *testing.T, c change.Change) {
	t.Helper()
	b.exec(t, "TRUNCATE backfill.runs, backfill.ledger, backfill.undo, backfill.conflicts, backfill.stripes; UPDATE counters SET n = id WHERE n <> id")
	_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: b.chunk.Range.Hi})
	must(t, err)
}

// backward has the run taken back, and gives what a governor would send.
func (b *bundle) backward(t *testing.T) []chunk.Message {
	t.Helper()
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
	must(t, err)
	return b.due(t)
}

// expectRows demands that every row is higher by that much than at first, and that every chunk is in that state.
func (b *bundle) expectRows(t *testing.T, higher int, state chunk.State) {
	t.Helper()
	var wrong, other int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM counters WHERE n <> id + $1),
		(SELECT count(*) FROM backfill.ledger WHERE state <> $2)`, higher, state).Scan(&wrong, &other))
	if wrong != 0 || other != 0 {
		t.Fatalf("%d rows are not higher by %d, %d chunks are not %s", wrong, higher, other, state)
	}
}

// TestBehindAPooler: two workers and the ledger's own session share two connections to the server, forward and back.
func TestBehindAPooler(t *testing.T) {
	for name, chunkRows := range map[string]int64{"plain": rows / 8, "passes": striped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b, kept := setup(t, db, counters), keeping(chunkRows)
				b.db.URL = pgtest.NewPooler(t, db, 2).URL
				b.ledger = ledger.New(b.session(t, b.db.URL), b.terms)
				if chunkRows == striped { // enough keys for several chunks in passes
					b.exec(t, "INSERT INTO counters SELECT g, g, g::text FROM generate_series(4001, 20000) g; ANALYZE counters")
					b.chunk.Range.Hi = []string{"20000"}
				}
				b.anew(t, kept)
				b.workThrough(t, b.chunks(t, kept))
				b.expectRows(t, 1, chunk.Completed)
				b.expectPasses(t, chunkRows == striped)
				b.workThrough(t, b.backward(t))
				b.expectRows(t, 0, chunk.RolledBack)
			})
		})
	}
}

// mishap is what happens while a batch is held, at a message of its pipeline: its first, so that it has not begun, or its
// last, so that the server has executed it and waits for the end.
type mishap struct {
	at   byte
	make func(t *testing.T, c *cluster.Cluster, p *pgtest.Pooler)
}

var mishaps = map[string]mishap{
	"Postgres crashes between two batches":   {pgtest.Parse, restart},
	"Postgres crashes in a batch":            {pgtest.Sync, restart},
	"the pooler crashes between two batches": {pgtest.Parse, replace},
	"the pooler crashes in a batch":          {pgtest.Sync, replace},
}

func restart(t *testing.T, c *cluster.Cluster, _ *pgtest.Pooler) {
	c.Crash()
	c.Start(t)
}

func replace(t *testing.T, _ *cluster.Cluster, p *pgtest.Pooler) {
	p.Stop()
	p.Start(t)
}

// TestMishapsBehindAPooler: the worker's connection leads to the pooler, and outlives the server where no batch is under
// way. Batches that were committed and not yet on the disk are gone then, and the next one is refused.
func TestMishapsBehindAPooler(t *testing.T) {
	for name, chunkRows := range map[string]int64{"plain": rows, "passes": striped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				c := cluster.New(t, db)
				c.WriteLate(t)
				b := setup(t, c.Database(), counters)
				pooler := pgtest.NewPooler(t, b.db, 2)
				lost := int64(0)
				for name, m := range mishaps {
					t.Run(name, func(t *testing.T) {
						b.reopen(t)
						b.anew(t, keeping(chunkRows))
						lost += b.meet(t, c, pooler, m, b.chunk.Message(1))
						b.expectRows(t, 1, chunk.Completed)
						lost += b.meet(t, c, pooler, m, b.backward(t)[0])
						b.expectRows(t, 0, chunk.RolledBack)
					})
				}
				if lost == 0 { // one crash may come after the disk was written; four do not
					t.Error("no crash took a batch back")
				}
			})
		})
	}
}

// meet has a worker go over the chunk, and something happen while its fifth batch is held. It tells how many batches that
// has taken back.
func (b *bundle) meet(t *testing.T, c *cluster.Cluster, p *pgtest.Pooler, m mishap, message chunk.Message) (lost int64) {
	t.Helper()
	proxy := pgtest.NewProxy(t, b.db)
	proxy.Lead(p.Address)
	held, pass := make(chan struct{}), make(chan struct{})
	var batches atomic.Int64
	proxy.Watch(func(passing pgtest.Message) pgtest.Verdict {
		inBatch := strings.Contains(cmp.Or(passing.Statement, passing.SQL), "backfill.advance(")
		if passing.FromServer || !inBatch || passing.Kind != m.at || batches.Add(1) != 5 {
			return pgtest.Pass
		}
		close(held)
		<-pass
		return pgtest.Pass
	})
	worked := make(chan error, 1)
	go func() { worked <- b.worker(t, proxy.URL).Work(t.Context(), message) }()
	select {
	case <-held:
	case err := <-worked:
		t.Fatalf("no fifth batch: %v", err)
	}
	before := b.seq(t)
	m.make(t, c, p)
	b.reopen(t)
	lost = before - b.seq(t)
	close(pass)
	must(t, <-worked)
	return lost
}

// reopen opens the test's own connections anew: a crash has ended them, or the end of the test before.
func (b *bundle) reopen(t *testing.T) {
	t.Helper()
	b.conn = b.db.Connect(t)
	b.ledger = ledger.New(b.session(t, b.db.URL), b.terms)
}

// seq is how many batches are committed.
func (b *bundle) seq(t *testing.T) (n int64) {
	t.Helper()
	must(t, b.conn.QueryRow(t.Context(), "SELECT sum(seq) FROM backfill.ledger").Scan(&n))
	return n
}
