package worker_test

import (
	"context"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

// TestRowsOnWhichWhereFailsAreRejected, each by its key, as those that their function refuses; all others are written once. Mended, they are written by a retry.
func TestRowsOnWhichWhereFailsAreRejected(t *testing.T) {
	eachTransform(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		c = given(t, c, increment)
		c.Where, c.ErrorBudget = "1 / (n + 5) IS NOT NULL", 40
		b := setup(t, db, c)
		b.exec(t, "UPDATE counters SET n = -5 WHERE id % 200 IN (0, 1)")
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> CASE WHEN id % 200 IN (0, 1) THEN -5 ELSE id + 1 END", 0,
			"SELECT count(*) FROM backfill.rejects JOIN counters c ON key = ARRAY[c.id::text] WHERE n = -5 AND sqlstate = '22012'", 40,
			"SELECT affected FROM backfill.ledger", rows-40, "SELECT scanned FROM backfill.ledger", rows)
		b.exec(t, "UPDATE counters SET n = id WHERE n = -5 AND id <> 4000")
		b.retry(t, db.URL, "arn:2")
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> CASE WHEN id = 4000 THEN -5 ELSE id + 1 END", 0, "SELECT rejected FROM backfill.ledger", 1)
	})
}

// TestARowOnWhichWhereFailsFailsItsChunk where there is no budget, with the key; what is before it is written.
func TestARowOnWhichWhereFailsFailsItsChunk(t *testing.T) {
	t.Parallel()
	c := given(t, change.Change{Table: counters.Table, Key: counters.Key, Undo: true, Where: "1 / (n + 5) IS NOT NULL"}, increment)
	b := setup(t, pgtest.Newest(t), c)
	b.exec(t, "UPDATE counters SET n = -5 WHERE id = 1001")
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	if reason := b.expectLedger(t, chunk.Failed); !strings.Contains(reason, `1 row within "id" = 1001: SQLSTATE 22012`) {
		t.Error(reason)
	}
	b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n = id + 1", 1000, "SELECT position[1]::bigint FROM backfill.ledger", 1000)
}

// TestARowOnWhichWhereFailsMeanwhile: users change it so while the function works. It is rejected by what it holds then.
func TestARowOnWhichWhereFailsMeanwhile(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		users := db.Connect(t)
		c := given(t, change.Change{Table: counters.Table, Key: counters.Key, Undo: true, Where: "1 / (n + 5) IS NOT NULL", ErrorBudget: 1},
			func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
				if _, err := users.Exec(ctx, "UPDATE counters SET n = -5 WHERE id = 7 AND n = 7"); err != nil {
					return nil, err
				}
				return increment(ctx, rows)
			})
		b := setup(t, db, c)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n <> CASE WHEN id = 7 THEN -5 ELSE id + 1 END", 0,
			"SELECT count(*) FROM backfill.rejects WHERE key = '{7}' AND sqlstate = '22012'", 1, "SELECT affected FROM backfill.ledger", rows-1)
	})
}
