package batch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/boundary"
	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/definition"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// reversal is a table, and a run over it as one chunk.
type reversal struct {
	db     pgtest.Database
	conn   *pgx.Conn // of the worker
	reads  *postgres.Session
	beside *pgx.Conn // of users
	ledger *ledger.Ledger
	change change.Change
	chunk  chunk.Message
}

// reversible resolves a definition against a table as a planner does, so that the types are the catalog's.
func reversible(t *testing.T, db pgtest.Database, ddl, source string) *reversal {
	t.Helper()
	db.Exec(t, ddl)
	session := postgres.NewSession(credentials.Fixed(db.URL), "test").Prepare()
	t.Cleanup(session.Drop)
	reads := postgres.NewSession(credentials.Fixed(db.URL), "test reads").Prepare()
	t.Cleanup(reads.Drop)
	b := &reversal{db: db, reads: reads, beside: db.Connect(t), ledger: ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})}
	must(t, b.ledger.Migrate(t.Context()))
	var err error
	b.conn, err = session.Conn(t.Context())
	must(t, err)
	d, problems := definition.Parse([]byte("name: a\n" + source))
	must(t, problems.Err())
	resolved, err := catalog.Resolve(t.Context(), b.conn, d, nil)
	must(t, err)
	b.change = resolved.Change
	bound, err := boundary.Bound(t.Context(), b.conn, b.change, nil)
	must(t, err)
	_, err = b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "a", Change: b.change, Bound: bound})
	must(t, err)
	b.chunk = chunk.Message{Run: theRun, Chunk: 1, Hi: bound, Send: 1}
	return b
}

type steps interface {
	Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (batch.Outcome, error)
}

// walk claims the chunk and goes over it, and gives the sum of the bytes that were kept.
func (b *reversal) walk(t *testing.T, steps steps, rows int64) (bytes int64) {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	if claim.Verdict != ledger.Claimed {
		t.Fatalf("verdict %s", claim.Verdict)
	}
	b.chunk.Send++
	for {
		outcome, err := steps.Step(t.Context(), b.conn, &claim, rows)
		must(t, err)
		bytes += outcome.Bytes
		if outcome.Done {
			return bytes
		}
	}
}

func (b *reversal) forward(t *testing.T, rows int64) int64 {
	t.Helper()
	bytes := b.walk(t, &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}, rows)
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	return bytes
}

func (b *reversal) back(t *testing.T, rows int64) {
	t.Helper()
	_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
	must(t, err)
	b.walk(t, &batch.Back{Change: b.change, Timeout: time.Minute}, rows)
	r, err := b.ledger.Restored(t.Context(), theRun)
	must(t, err)
	if r.State != run.RolledBack {
		t.Fatalf("after the rollback: %s, %s", r.State, r.Reason)
	}
}

// image is the whole table as text, row by row.
func (b *reversal) image(t *testing.T) []string {
	t.Helper()
	table := pgx.Identifier{b.change.Table.Schema, b.change.Table.Name}.Sanitize()
	var key []string
	for _, column := range b.change.Key {
		key = append(key, pgx.Identifier{column.Name}.Sanitize())
	}
	rows, err := b.beside.Query(t.Context(), fmt.Sprintf("SELECT %s::text FROM %s AS r ORDER BY %s", "r", table, strings.Join(key, ", ")))
	must(t, err)
	image, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return image
}

func (b *reversal) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := b.beside.Exec(t.Context(), sql)
	must(t, err)
}

func (b *reversal) number(t *testing.T, sql string) (n int64) {
	t.Helper()
	must(t, b.beside.QueryRow(t.Context(), sql).Scan(&n))
	return n
}
