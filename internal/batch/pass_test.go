package batch_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// passing is a way over a chunk that can pass over a row.
type passing interface {
	steps
	Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error
}

// TestRowsArePassedOverOnce: whatever the types of the key, the sizes of chunks and batches, the way over a chunk, and
// wherever a worker dies, between the error of a row and its reject as well: each row that does not allow the change is
// rejected by its key, each other row is written once, a retry writes those that were mended meanwhile, and a rollback leaves all
// as before.
func TestRowsArePassedOverOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		tables := db.CreateKeyTables(t)
		b := &bundle{beside: db.Connect(t)}
		b.connect(t, db.URL)
		b.exec(t, "SET synchronous_commit = off")
		for _, table := range tables {
			b.exec(t, "ALTER TABLE "+table.Table()+" ADD victim bool NOT NULL DEFAULT false, ADD CONSTRAINT no_victim CHECK (n = 0 OR NOT victim)")
		}
		session := postgres.NewSession(credentials.Fixed(db.URL), "test")
		t.Cleanup(session.Drop)
		b.ledger = ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
		must(t, b.ledger.Migrate(t.Context()))
		rapid.Check(t, func(r *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(r, "table")
			c := table.Increment()
			c.ChunkRows, c.Undo, c.ErrorBudget, c.Set[0].Base = rapid.Int64Range(1, 40).Draw(r, "chunk rows"), rapid.Bool().Draw(r, "undo"), 30, "integer"
			b.runner = batch.Runner{Change: c, Timeout: 10 * time.Second}
			b.fill(t, r, table)
			b.exec(t, "DELETE FROM backfill.rejects")
			b.exec(t, fmt.Sprintf("UPDATE %[1]s SET victim = true WHERE ctid IN (SELECT ctid FROM %[1]s ORDER BY %[2]s OFFSET $1 LIMIT $2)", table.Table(), table.Columns()),
				rapid.Int64Range(0, 20).Draw(r, "first victim"), rapid.Int64Range(0, 5).Draw(r, "victims"))
			for _, message := range b.plan(t, r, c) {
				b.claim = b.take(t, message)
				b.passChunk(t, r)
			}
			b.expectPassed(t, r, table)
			b.exec(t, fmt.Sprintf("UPDATE %[1]s SET victim = false WHERE ctid IN (SELECT ctid FROM %[1]s WHERE victim LIMIT $1)", table.Table()),
				rapid.Int64Range(0, 5).Draw(r, "mended"))
			b.retry(t, r)
			b.expectPassed(t, r, table)
			if c.Undo {
				b.takeBack(t, r)
				if n := number(t, b.beside, "SELECT count(*) FROM "+table.Table()+" WHERE n <> 0"); n != 0 {
					r.Fatalf("%d rows are not as before", n)
				}
			}
		})
	})
}

// retry has the rejected rows tried again. Where none is rejected, there is nothing to try.
func (b *bundle) retry(t *testing.T, r *rapid.T) {
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	if number(t, b.beside, "SELECT count(*) FROM backfill.rejects") == 0 {
		return
	}
	_, err := b.ledger.Retry(t.Context(), theRun, "arn:retry")
	must(r, err)
	_, again, err := b.ledger.Beat(t.Context(), theRun, 1000)
	must(r, err)
	for _, a := range again {
		b.claim = b.take(t, chunk.Message{Run: theRun, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send})
		if !b.claim.Due {
			r.Fatalf("nothing is due in chunk %d", a.Chunk)
		}
		steps := passing(&batch.Retried{Runner: b.runner})
		for b.claim.Due {
			_, err := steps.Step(context.Background(), b.conn, &b.claim, 1)
			var failed *batch.Failed
			if errors.As(err, &failed) {
				row, _ := failed.Row()
				err = steps.Pass(context.Background(), b.conn, &b.claim, row)
			}
			must(r, err)
			if rapid.IntRange(0, 3).Draw(r, "dies") == 0 {
				steps = &batch.Retried{Runner: b.runner}
				b.claim.Message.Send++
				b.claim = b.take(t, b.claim.Message)
			}
		}
		b.passChunk(t, r)
	}
}

// passChunk goes over a chunk; where a worker would have died, the next goes on from what is stored.
func (b *bundle) passChunk(t *testing.T, r *rapid.T) {
	way := func() passing { return &batch.Forward{Runner: b.runner} }
	if rapid.Bool().Draw(r, "passes") {
		window := statement.Window{Keys: rapid.Int64Range(1, 15).Draw(r, "window"), Passes: 3, Batches: 2}
		way = func() passing { return &batch.Striped{Runner: b.runner, Window: window} }
	}
	steps := way()
	dies := func() bool {
		if rapid.IntRange(0, 3).Draw(r, "dies") > 0 {
			return false
		}
		steps = way()
		b.claim.Message.Send++
		b.claim = b.take(t, b.claim.Message)
		return true
	}
	for most := drawSize(r); ; most = drawSize(r) {
		outcome, err := steps.Step(context.Background(), b.conn, &b.claim, most)
		var failed *batch.Failed
		for errors.As(err, &failed) && failed.Keys > 1 {
			outcome, err = steps.Step(context.Background(), b.conn, &b.claim, 1+rapid.Int64Range(0, (failed.Keys-1)/2).Draw(r, "part"))
			failed = nil
		}
		if errors.As(err, &failed) {
			row, alone := failed.Row()
			if !alone {
				r.Fatalf("nobody knows which row it is: %v", err)
			}
			if !dies() {
				must(r, steps.Pass(context.Background(), b.conn, &b.claim, row))
			}
		} else if must(r, err); outcome.Done {
			return
		}
		dies()
	}
}

func (b *bundle) expectPassed(t *testing.T, r *rapid.T, table pgtest.KeyTable) {
	named := fmt.Sprintf("SELECT count(*) FROM backfill.rejects WHERE sqlstate = '23514' AND key IN (SELECT ARRAY[%s] FROM %s WHERE victim)",
		textsOf(table), table.Table())
	victims, wrong := number(t, b.beside, "SELECT count(*) FROM "+table.Table()+" WHERE victim"),
		number(t, b.beside, "SELECT count(*) FROM "+table.Table()+" WHERE n <> CASE WHEN victim THEN 0 ELSE 1 END")
	rejected, counted := number(t, b.beside, "SELECT count(*) FROM backfill.rejects"),
		number(t, b.beside, "SELECT coalesce(sum(rejected), 0)::bigint FROM backfill.ledger")
	scanned, all := number(t, b.beside, "SELECT coalesce(sum(scanned), 0)::bigint FROM backfill.ledger"), number(t, b.beside, "SELECT count(*) FROM "+table.Table())
	if wrong != 0 || number(t, b.beside, named) != victims || rejected != victims || counted != victims || scanned != all {
		r.Fatalf("%d rows wrong; %d rejected, %d counted, want %d; %d of %d scanned", wrong, rejected, counted, victims, scanned, all)
	}
}

// textsOf lists the key's columns as text.
func textsOf(table pgtest.KeyTable) (list string) {
	for i, column := range table.Key {
		if i > 0 {
			list += ", "
		}
		list += pgx.Identifier{column.Name}.Sanitize() + `::text COLLATE "C"`
	}
	return list
}

// takeBack rolls back the whole run.
func (b *bundle) takeBack(t *testing.T, r *rapid.T) {
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
	must(r, err)
	_, again, err := b.ledger.Beat(t.Context(), theRun, 1000)
	must(r, err)
	for _, a := range again {
		b.claim = b.take(t, chunk.Message{Run: theRun, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send})
		back := &batch.Back{Change: b.runner.Change, Timeout: 10 * time.Second}
		for done := false; !done; {
			outcome, err := back.Step(context.Background(), b.conn, &b.claim, drawSize(r))
			must(r, err)
			done = outcome.Done
		}
	}
}
