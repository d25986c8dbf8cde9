package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"pgregory.net/rapid"
)

// TestAFailedBatchTellsItsRows: whatever the types of the key, the size of a batch, and the way over the chunk, the row
// that does not allow the change is within what the error says, and a batch of one row has no other row within.
func TestAFailedBatchTellsItsRows(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		tables := db.CreateKeyTables(t)
		b := &bundle{beside: db.Connect(t)}
		b.connect(t, db.URL)
		b.exec(t, "SET synchronous_commit = off")
		for _, table := range tables {
			b.exec(t, "ALTER TABLE "+table.Table()+" ADD victim bool NOT NULL DEFAULT false")
		}
		session := postgres.NewSession(credentials.Fixed(db.URL), "test")
		t.Cleanup(session.Drop)
		b.ledger = ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
		must(t, b.ledger.Migrate(t.Context()))
		told := map[string]int{}
		rapid.Check(t, func(r *rapid.T) {
			table, way := rapid.SampledFrom(tables).Draw(r, "table"), rapid.SampledFrom([]string{"forward", "passes", "back"}).Draw(r, "way")
			size := rapid.OneOf(rapid.Just(int64(1)), rapid.Int64Range(1, 7)).Draw(r, "size")
			if failed := b.failOn(t, r, table, way, size); failed != nil {
				told[way] += b.expectWithin(t, r, table, failed, size)
			}
		})
		if told["forward"] == 0 || told["passes"] == 0 || told["back"] == 0 {
			t.Errorf("conditions that were looked at: %v", told)
		}
	})
}

// failOn has the run, or its rollback, stumble over one row; nil: the table is empty.
func (b *bundle) failOn(t *testing.T, r *rapid.T, table pgtest.KeyTable, way string, size int64) *batch.Failed {
	c := table.Increment()
	c.ChunkRows, c.Undo, c.Set[0].Base = 100, true, c.Set[0].Type
	b.exec(t, "ALTER TABLE "+table.Table()+" DROP CONSTRAINT IF EXISTS no_victim")
	count := b.fill(t, r, table)
	messages := b.plan(t, r, c)
	if count == 0 {
		return nil
	}
	b.exec(t, fmt.Sprintf("UPDATE %[1]s SET victim = true WHERE ctid = (SELECT ctid FROM %[1]s ORDER BY %[2]s OFFSET $1 LIMIT 1)", table.Table(), table.Columns()),
		rapid.Int64Range(0, count-1).Draw(r, "victim"))
	refuse := func(n int) {
		b.exec(t, fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT no_victim CHECK (n <> %d OR NOT victim) NOT VALID", table.Table(), n))
	}
	b.claim = b.take(t, messages[0])
	runner := batch.Runner{Change: c, Timeout: 10 * time.Second}
	if way != "back" {
		refuse(1)
	}
	if way == "passes" {
		return b.stepOn(r, &batch.Striped{Runner: runner, Window: statement.Window{Keys: 20, Passes: 2, Batches: 1}}, size)
	}
	failed := b.stepOn(r, &batch.Forward{Runner: runner}, size)
	if way == "back" {
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
		must(r, err)
		messages[0].Send++
		b.claim = b.take(t, messages[0])
		refuse(0)
		failed = b.stepOn(r, &batch.Back{Change: c, Timeout: 10 * time.Second}, size)
	}
	return failed
}

// stepOn goes on until a batch fails by its rows, or nothing is left.
func (b *bundle) stepOn(r *rapid.T, steps steps, size int64) (failed *batch.Failed) {
	for {
		outcome, err := steps.Step(context.Background(), b.conn, &b.claim, size)
		if outcome.Done || errors.As(err, &failed) {
			return failed
		}
		must(r, err)
	}
}

// expectWithin holds what is told against the table, and tells how many conditions it could look at: one that is cut, or
// has signs that cannot be printed, is no SQL.
func (b *bundle) expectWithin(t *testing.T, r *rapid.T, table pgtest.KeyTable, failed *batch.Failed, size int64) int {
	if failed == nil || failed.Keys < 1 || failed.Keys > size {
		r.Fatalf("%+v of a batch of %d", failed, size)
	}
	if strings.Contains(failed.Within, " in ") || strings.ContainsRune(failed.Within, '…') || strings.Contains(failed.Within, `\uffff`) {
		return 0
	}
	var victims, all int64
	err := b.beside.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE victim), count(*) FROM "+table.Table()+" WHERE "+failed.Within).Scan(&victims, &all)
	must(r, err)
	if victims != 1 || all < failed.Keys || failed.Keys == 1 && all != 1 {
		r.Fatalf("%s: %d rows, %d of them the one; %d are told", failed.Within, all, victims, failed.Keys)
	}
	return 1
}
