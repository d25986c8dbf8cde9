package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/worker"

	"github.com/jackc/pgx/v5"
)

const (
	theRun = "run-1"
	rows   = 4000
)

// counters is a change that shows at once whether a row saw it twice.
var counters = change.Change{
	Kind: change.Set, Table: change.Table{Schema: "public", Name: "counters"},
	Key: []keyset.Column{{Name: "id", Type: "bigint"}},
	Set: []change.Assignment{{Column: "n", Type: "integer", Expression: "n + 1"}}, ChunkRows: rows,
}

// deleted is the same of a deletion: what the ledger counts, and what undo keeps, show whether it took a row twice.
var deleted = change.Change{
	Kind: change.Delete, Table: counters.Table, Key: counters.Key, Where: "n > 0", Undo: true, ChunkRows: rows,
	Row: []change.Column{{Name: "n", Type: "integer", Base: "integer"}, {Name: "note", Type: "text", Base: "text"}},
}

// bundle is a table of counters, a run over it, and its one chunk.
type bundle struct {
	kind        change.Kind
	db          pgtest.Database
	conn        *pgx.Conn
	ledger      *ledger.Ledger
	chunk       chunk.Chunk
	checkpoints *checkpoints
	terms       ledger.Terms
}

func setup(t *testing.T, db pgtest.Database, c change.Change) *bundle {
	t.Helper()
	db.Exec(t, fmt.Sprintf(`CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL, note text UNIQUE);
		INSERT INTO counters SELECT g, g, g::text FROM generate_series(1, %d) g; ANALYZE counters`, rows))
	b := &bundle{kind: c.Kind, db: db, conn: db.Connect(t), checkpoints: &checkpoints{}}
	b.terms = ledger.Terms{Lease: 30 * time.Second, Heartbeat: time.Hour}
	b.ledger = ledger.New(b.session(t, db.URL), b.terms)
	must(t, b.ledger.Migrate(t.Context()))
	bound, err := boundary.Bound(t.Context(), b.conn, c)
	must(t, err)
	window, err := boundary.Cut(t.Context(), b.conn, c, nil, bound, 10)
	must(t, err)
	if len(window.Ranges) != 1 || !window.Closed {
		t.Fatalf("the table is not one chunk: %+v", window)
	}
	b.chunk = chunk.Chunk{Run: theRun, Number: 1, Range: window.Ranges[0]}
	_, err = b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: bound})
	must(t, err)
	return b
}

func (b *bundle) session(t *testing.T, url string) *postgres.Session {
	session := postgres.NewSession(credentials.Fixed(url), "test worker").Prepare()
	t.Cleanup(session.Drop)
	return session
}

// worker makes a worker of its own connection.
func (b *bundle) worker(t *testing.T, url string) *worker.Worker {
	session := b.session(t, url)
	return worker.New(session, ledger.New(session, b.terms), b.checkpoints, b.terms.Lease)
}

// wrong counts what a run has not done to each row once: the row is exactly one higher than it was, or gone and kept.
var wrong = map[change.Kind]string{
	change.Set:      "SELECT count(*) FROM counters WHERE n <> id + 1",
	change.Joined:   "SELECT count(*) FROM counters WHERE n <> id + 1",
	change.Delete:   fmt.Sprintf("SELECT (SELECT count(*) FROM counters) + abs(%d - coalesce(sum(rows), 0)) FROM backfill.undo", rows),
	change.Archived: fmt.Sprintf("SELECT (SELECT count(*) FROM counters) + abs(%d - coalesce(sum(rows), 0)) FROM backfill.undo", rows),
}

// afresh makes the table what it was.
var afresh = map[change.Kind]string{
	change.Set:    "UPDATE counters SET n = id",
	change.Joined: "UPDATE counters SET n = id",
	change.Delete: fmt.Sprintf("TRUNCATE counters; INSERT INTO counters SELECT g, g, g::text FROM generate_series(1, %d) g", rows),
}

// expectOnce demands that every row saw the change exactly once, and that the ledger says so.
func (b *bundle) expectOnce(t *testing.T) {
	t.Helper()
	var other, affected int64
	var state chunk.State
	must(t, b.conn.QueryRow(t.Context(), wrong[b.kind]).Scan(&other))
	must(t, b.conn.QueryRow(t.Context(), "SELECT affected, state FROM backfill.ledger").Scan(&affected, &state))
	if other != 0 || affected != rows || state != chunk.Completed {
		t.Fatalf("%d rows wrong, %d counted of %d, chunk %s", other, affected, rows, state)
	}
}

func (b *bundle) expectLedger(t *testing.T, want chunk.State) (reason string) {
	t.Helper()
	var state chunk.State
	must(t, b.conn.QueryRow(t.Context(), "SELECT state, reason FROM backfill.ledger").Scan(&state, &reason))
	if state != want {
		t.Fatalf("chunk is %s (%s), want %s", state, reason, want)
	}
	return reason
}

// checkpoints remembers what was written, and can fail.
type checkpoints struct {
	mutex   sync.Mutex
	states  []chunk.State
	reasons []string
	err     error
}

func (c *checkpoints) Checkpoint(_ context.Context, checkpoint records.Checkpoint) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.states, c.reasons = append(c.states, checkpoint.State), append(c.reasons, checkpoint.Reason)
	return c.err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
