package batch_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

const (
	theRun = "run-1"
	rows   = 400
)

// counters is a change that shows at once whether a row saw it twice.
var counters = change.Change{
	Kind: change.Set, Table: change.Table{Schema: "public", Name: "counters"},
	Key: []keyset.Column{{Name: "id", Type: "bigint"}},
	Set: []change.Assignment{{Column: "n", Type: "integer", Expression: "n + 1"}}, ChunkRows: rows,
}

// bundle is a table of counters with a run over it, a claim of its one chunk, and a connection beside the worker's.
type bundle struct {
	runner batch.Runner
	conn   *pgx.Conn // of the worker
	beside *pgx.Conn
	ledger *ledger.Ledger
	claim  ledger.Claim
}

func setup(t *testing.T, db pgtest.Database, c change.Change) *bundle {
	t.Helper()
	db.Exec(t, fmt.Sprintf(`CREATE TABLE other (id bigint PRIMARY KEY);
		CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL, friend bigint REFERENCES other DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO counters SELECT g, 0 FROM generate_series(1, %d) g; ANALYZE counters`, rows))
	b := &bundle{runner: batch.Runner{Change: c, Timeout: 10 * time.Second}, beside: db.Connect(t)}
	b.connect(t, db.URL)
	session := postgres.NewSession(credentials.Fixed(db.URL), "test")
	t.Cleanup(session.Drop)
	b.ledger = ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
	must(t, b.ledger.Migrate(t.Context()))
	b.open(t)
	return b
}

// connect opens the worker's connection.
func (b *bundle) connect(t *testing.T, url string) {
	t.Helper()
	session := postgres.NewSession(credentials.Fixed(url), "test worker").Prepare()
	t.Cleanup(session.Drop)
	conn, err := session.Conn(t.Context())
	must(t, err)
	b.conn = conn
}

// open begins the run and claims its chunk: the whole table.
func (b *bundle) open(t *testing.T) {
	t.Helper()
	c := b.runner.Change
	bound, err := boundary.Bound(t.Context(), b.beside, c, nil)
	must(t, err)
	_, err = b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: bound})
	must(t, err)
	b.claim = b.take(t, chunk.Message{Run: theRun, Chunk: 1, Hi: bound, Send: 1})
}

// take claims a chunk.
func (b *bundle) take(t *testing.T, message chunk.Message) ledger.Claim {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), message, "me")
	must(t, err)
	if claim.Verdict != ledger.Claimed {
		t.Fatalf("claim: %s", claim.Verdict)
	}
	return claim
}

func (b *bundle) find(t *testing.T, size int64) batch.Target {
	t.Helper()
	target, err := b.runner.Find(t.Context(), b.conn, b.claim, size)
	must(t, err)
	return target
}

func (b *bundle) apply(t *testing.T, target batch.Target, size int64) (batch.Outcome, batch.Target) {
	t.Helper()
	outcome, next, err := b.runner.Apply(t.Context(), b.conn, &b.claim, target, size)
	must(t, err)
	return outcome, next
}

// walk applies the rest of the chunk, and gives the last outcome and the number of batches.
func (b *bundle) walk(t *testing.T, target batch.Target, size int64) (outcome batch.Outcome, batches int) {
	t.Helper()
	for !outcome.Done {
		outcome, target = b.apply(t, target, size)
		batches++
	}
	return outcome, batches
}

// image is what is stored of the run and of the table, so that two of them tell whether anything was written.
func (b *bundle) image(t *testing.T) string {
	t.Helper()
	return text(t, b.beside, `SELECT concat((SELECT string_agg(l::text, ' ' ORDER BY chunk) FROM backfill.ledger l),
		(SELECT md5(string_agg(concat(c.ctid, c), ' ' ORDER BY id)) FROM counters c))`)
}

func (b *bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := b.beside.Exec(t.Context(), sql, args...)
	must(t, err)
}

func number(t *testing.T, conn *pgx.Conn, sql string) (n int64) {
	t.Helper()
	must(t, conn.QueryRow(context.Background(), sql).Scan(&n))
	return n
}

func text(t *testing.T, conn *pgx.Conn, sql string) (s string) {
	t.Helper()
	must(t, conn.QueryRow(context.Background(), sql).Scan(&s))
	return s
}

// must takes a test of rapid's, too.
func must(t interface {
	Helper()
	Fatal(...any)
}, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
