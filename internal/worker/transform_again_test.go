package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

// TestARowThatIsTriedAgainIsHotOrKept: of two rows that were rejected a trigger keeps one now, and users change the other with each call for it that
// does not lock it. A retry ends with both: the one stays as it is, the other has what it holds then.
func TestARowThatIsTriedAgainIsHotOrKept(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		var retried atomic.Bool
		users := db.Connect(t)
		_, err := users.Exec(t.Context(), "SET lock_timeout = '20ms'")
		must(t, err)
		c := given(t, change.Change{Table: counters.Table, Key: counters.Key, Undo: true, ErrorBudget: 2}, func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
			if !retried.Load() {
				return picky(ctx, rows)
			}
			if id, _ := rows[0].Int("id"); id == 7 {
				_, _ = users.Exec(ctx, "UPDATE counters SET n = n + 100 WHERE id = 7") // it is locked, or not
			}
			return increment(ctx, rows)
		})
		b := setup(t, db, c)
		b.exec(t, "UPDATE counters SET note = 'refuse ' || id WHERE id IN (7, 9)")
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectNumbers(t, "SELECT rejected FROM backfill.ledger", 2)
		retried.Store(true)
		b.exec(t, "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
		b.exec(t, "CREATE TRIGGER keep BEFORE UPDATE ON counters FOR EACH ROW WHEN (OLD.id = 9) EXECUTE FUNCTION keep()")
		b.retry(t, db.URL, "arn:2")
		b.expectLedger(t, chunk.Completed)
		b.expectNumbers(t, "SELECT rejected FROM backfill.ledger", 0, "SELECT affected FROM backfill.ledger", rows-1,
			"SELECT n FROM counters WHERE id = 7", 108, "SELECT n FROM counters WHERE id = 9", 9)
	})
}

// TestARowThatIsHotAndDear is passed over within the budget, by its key; without one its chunk fails with it.
func TestARowThatIsHotAndDear(t *testing.T) {
	for name, budget := range map[string]int64{"with a budget": 1, "without": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Newest(t)
			users := db.Connect(t)
			_, err := users.Exec(t.Context(), "SET lock_timeout = '20ms'")
			must(t, err)
			c := given(t, change.Change{Table: counters.Table, Key: counters.Key, Undo: true, ErrorBudget: budget}, func(ctx context.Context, given []transform.Row) ([]transform.Change, error) {
				for _, row := range given {
					if id, _ := row.Int("id"); id == 7 {
						if _, err := users.Exec(context.WithoutCancel(ctx), "UPDATE counters SET n = n + 1 WHERE id = 7"); err != nil {
							<-ctx.Done()
							return nil, errors.New("too late")
						}
					}
				}
				return increment(ctx, given)
			})
			b := setup(t, db, c)
			must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
			if budget == 0 {
				b.expectLedger(t, chunk.Failed)
				b.expectNumbers(t, "SELECT count(*) FROM backfill.ledger WHERE reason LIKE '%\"id\" = 7: SQLSTATE BF004: users change the row again and again%'", 1)
				return
			}
			b.expectLedger(t, chunk.Completed)
			b.expectNumbers(t, "SELECT count(*) FROM backfill.rejects WHERE key = ARRAY['7'] AND sqlstate = 'BF004'", 1,
				"SELECT affected FROM backfill.ledger", rows-1)
		})
	}
}
