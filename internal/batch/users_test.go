package batch_test

import (
	"context"
	"sync"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/pgtest"
)

// TestRowsThatComeAndGoBetweenLookUpAndBatch: a batch covers a range, not the keys that were seen in it.
func TestRowsThatComeAndGoBetweenLookUpAndBatch(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		b.exec(t, "DELETE FROM backfill.ledger")
		b.exec(t, "UPDATE counters SET id = -id * 10")
		b.exec(t, "UPDATE counters SET id = -id")
		b.claim.Message.Hi = keyset.Point{"4000"}
		b.claim = b.take(t, b.claim.Message)
		target := b.find(t, 100) // up to 1000
		b.exec(t, "INSERT INTO counters VALUES (1, 0), (999, 0), (1001, 0)")
		b.exec(t, "DELETE FROM counters WHERE id IN (500, 1000)") // 1000 is where the batch ends
		outcome, target := b.apply(t, target, 100)
		if outcome.Keys != 100 || outcome.Affected != 100 {
			t.Errorf("the first batch: %+v", outcome)
		}
		if n := number(t, b.beside, "SELECT count(*) FROM counters WHERE n <> (id <= 1000)::int"); n != 0 {
			t.Errorf("after the first batch %d rows are wrong", n)
		}
		b.exec(t, "INSERT INTO counters VALUES (2, 0), (4001, 0)") // behind the batches, and beyond the chunk
		b.exec(t, "DELETE FROM counters WHERE id = 4000")
		b.walk(t, target, 90) // the last batch is a short one
		if n := number(t, b.beside, "SELECT count(*) FROM counters WHERE n <> (id <> 2 AND id <= 4000)::int"); n != 0 {
			t.Errorf("%d rows are wrong", n)
		}
		if n := number(t, b.beside, "SELECT count(*) FROM backfill.ledger WHERE position = hi AND state = 'COMPLETED'"); n != 1 {
			t.Error("the last batch does not reach the chunk's end, so the ranges would not tile")
		}
	})
}

// TestUsersInsertAndDeleteMeanwhile: rows that were there all the time are changed once, no row is changed twice, and
// the ledger counts what was changed.
func TestUsersInsertAndDeleteMeanwhile(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		// Each change leaves a note, so that those of rows that are gone by now count, too.
		db.Exec(t, `CREATE TABLE notes (id bigint); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN INSERT INTO notes VALUES (new.id); RETURN new; END $$;
			CREATE TRIGGER note AFTER UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION note()`)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var users sync.WaitGroup
		user := db.Connect(t)
		users.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := user.Exec(context.Background(), `WITH gone AS (DELETE FROM counters WHERE id = $1)
					INSERT INTO counters VALUES ($2, 0) ON CONFLICT DO NOTHING`, i*7%100*4+1, i*11%100*4+1); err != nil {
					t.Error(err)
					return
				}
			}
		})
		outcome, _ := b.walk(t, b.find(t, 7), 7)
		cancel()
		users.Wait()
		if n := number(t, b.beside, "SELECT count(*) FROM counters WHERE n > 1 OR n = 0 AND id % 4 <> 1"); n != 0 {
			t.Errorf("%d rows are wrong", n)
		}
		if n := number(t, b.beside, "SELECT count(*) FROM notes"); n != outcome.Affected {
			t.Errorf("%d rows were changed, %d are counted", n, outcome.Affected)
		}
	})
}
