package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// bundle is a ledger with one run, and a connection beside it to look and to meddle.
type bundle struct {
	ledger *ledger.Ledger
	conn   *pgx.Conn
	db     pgtest.Database
}

const theRun = "run-1"

var terms = ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour}

func setup(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	b := &bundle{ledger: newLedger(t, db), conn: db.Connect(t), db: db}
	must(t, b.ledger.Migrate(t.Context()))
	_, err := b.ledger.Open(t.Context(), describe(theRun, "users"))
	must(t, err)
	return b
}

func newLedger(t *testing.T, db pgtest.Database) *ledger.Ledger {
	session := postgres.NewSession(credentials.Fixed(db.URL), "test")
	t.Cleanup(session.Drop)
	return ledger.New(session, terms)
}

func describe(id, table string) ledger.Run {
	return ledger.Run{
		Run: id, Backfill: "test", Definition: "name: test", Bound: keyset.Point{"300"},
		Change: change.Change{
			Kind: change.Set, Table: change.Table{Schema: "public", Name: table},
			Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: 100,
		},
	}
}

func message(number int64, lo, hi string, send int64) chunk.Message {
	m := chunk.Message{Run: theRun, Chunk: number, Hi: keyset.Point{hi}, Send: send}
	if lo != "" {
		m.Lo = keyset.Point{lo}
	}
	return m
}

// claim expects a verdict.
func (b *bundle) claim(t *testing.T, m chunk.Message, owner string, want ledger.Verdict) ledger.Claim {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), m, owner)
	must(t, err)
	if claim.Verdict != want {
		t.Fatalf("claim of chunk %d by %s: %s, want %s", m.Chunk, owner, claim.Verdict, want)
	}
	return claim
}

// advance runs the first statement of a batch in a transaction of its own.
func (b *bundle) advance(claim ledger.Claim, step ledger.Step) error {
	step.Timeout = 10 * time.Second
	sql, args := claim.Advance(step)
	_, err := b.conn.Exec(context.Background(), sql, args...)
	return postgres.Classify(err)
}

// finish claims a chunk and completes it in one batch.
func (b *bundle) finish(t *testing.T, m chunk.Message) {
	t.Helper()
	claim := b.claim(t, m, "finisher", ledger.Claimed)
	must(t, b.advance(claim, ledger.Step{Keys: 100, Reached: m.Hi, Done: true}))
}

func (b *bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := b.conn.Exec(t.Context(), sql, args...)
	must(t, err)
}

// expire lets every lease run out, as the time would.
func (b *bundle) expire(t *testing.T) {
	t.Helper()
	b.exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() - interval '1 ms' WHERE lease_until IS NOT NULL")
}

func (b *bundle) move(t *testing.T, from, to run.State) {
	t.Helper()
	moved, err := b.ledger.Move(t.Context(), theRun, from, to)
	must(t, err)
	if !moved {
		t.Fatalf("run did not move to %s", to)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func asError[T any](err error, target *T) bool { return errors.As(err, target) }
