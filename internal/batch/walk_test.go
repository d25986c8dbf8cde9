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
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"pgregory.net/rapid"
)

// TestAWalkMeetsEachKeyOnce: whatever the types of the key, the data, the size of the chunks and of each batch, every
// row is changed once and counted once.
func TestAWalkMeetsEachKeyOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		tables := db.CreateKeyTables(t)
		b := &bundle{runner: batch.Runner{Timeout: 10 * time.Second}, beside: db.Connect(t)}
		b.connect(t, db.URL)
		b.exec(t, "SET synchronous_commit = off")
		session := postgres.NewSession(credentials.Fixed(db.URL), "test")
		t.Cleanup(session.Drop)
		b.ledger = ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
		must(t, b.ledger.Migrate(t.Context()))
		rapid.Check(t, func(r *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(r, "table")
			c := table.Increment()
			c.ChunkRows = rapid.Int64Range(1, 12).Draw(r, "chunk rows")
			count := b.fill(t, r, table)
			affected := b.walkTable(t, r, c)
			if n := number(t, b.beside, "SELECT count(*) FROM "+table.Table()+" WHERE n <> 1"); n != 0 || affected != count {
				r.Fatalf("%d rows are wrong; %d counted of %d", n, affected, count)
			}
			sum := number(t, b.beside, "SELECT coalesce(sum(scanned), 0) FROM backfill.ledger WHERE state = 'COMPLETED'")
			if sum != count {
				r.Fatalf("the ledger has %d keys of %d", sum, count)
			}
		})
	})
}

// fill puts random keys in place of what the table holds, and tells how many.
func (b *bundle) fill(t *testing.T, r *rapid.T, table pgtest.KeyTable) int64 {
	b.exec(t, "DELETE FROM "+table.Table())
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING", table.Table(), table.Columns(), table.Values(1))
	for range rapid.IntRange(0, 30).Draw(r, "rows") {
		var key []any
		for _, column := range table.Key {
			key = append(key, rapid.SampledFrom(column.Values).Draw(r, column.Name))
		}
		b.exec(t, insert, key...)
	}
	return number(t, b.beside, "SELECT count(*) FROM "+table.Table())
}

// walkTable applies the chunks of the table, and tells how many rows were counted.
func (b *bundle) walkTable(t *testing.T, r *rapid.T, c change.Change) (affected int64) {
	b.runner.Change = c
	for _, message := range b.plan(t, r, c) {
		b.claim = b.take(t, message)
		affected += b.walkChunk(r).Affected
	}
	return affected
}

// plan begins the run anew and cuts the table into chunks.
func (b *bundle) plan(t *testing.T, r *rapid.T, c change.Change) (messages []chunk.Message) {
	for _, table := range []string{"undo", "stripes", "ledger", "runs"} {
		b.exec(t, "DELETE FROM backfill."+table)
	}
	bound, err := boundary.Bound(t.Context(), b.beside, c, nil)
	must(t, err)
	_, err = b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Change: c, Bound: bound})
	must(r, err)
	if bound == nil {
		return nil
	}
	window, err := boundary.Cut(t.Context(), b.beside, c, nil, bound, 40)
	must(r, err)
	if !window.Closed {
		r.Fatalf("the walk did not reach the bound: %+v", window)
	}
	for i, part := range window.Ranges {
		messages = append(messages, chunk.Chunk{Run: theRun, Number: int64(i) + 1, Range: part}.Message(1))
	}
	return messages
}

// walkChunk goes on with what the batch before has found, or looks it up anew, as after an error.
func (b *bundle) walkChunk(r *rapid.T) (outcome batch.Outcome) {
	var target batch.Target
	for known := false; !outcome.Done; known = rapid.Bool().Draw(r, "known") {
		var err error
		if !known {
			target, err = b.runner.Find(context.Background(), b.conn, b.claim, drawSize(r))
			must(r, err)
		}
		outcome, target, err = b.runner.Apply(context.Background(), b.conn, &b.claim, target, drawSize(r))
		must(r, err)
	}
	return outcome
}

func drawSize(r *rapid.T) int64 { return rapid.Int64Range(1, 7).Draw(r, "size") }
