package worker_test

import (
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
)

// steppedBy is the change of counters, by a step that another table has.
var steppedBy = change.Change{
	Kind: change.Joined, Table: counters.Table, Key: counters.Key, ChunkRows: rows, Undo: true,
	Set:  []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "counters.n + s.step"}},
	Join: &change.Join{From: []change.Source{{Alias: "s", Table: change.Table{Schema: "public", Name: "steps"}}}, On: "s.id = counters.id"},
}

const steps = "CREATE TABLE steps (id bigint, step int); INSERT INTO steps SELECT id, 1 FROM counters; CREATE INDEX ON steps (id); ANALYZE steps"

// TestRowsThatBelongToSeveralAreRejected: the others are written, a retry writes them when it is said which row is theirs, and
// the rollback gives all of them back.
func TestRowsThatBelongToSeveralAreRejected(t *testing.T) {
	t.Parallel()
	for name, passes := range map[string]int64{"plain": rows, "passes": striped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				c := steppedBy
				c.ErrorBudget, c.ChunkRows = 2, passes
				b := setup(t, db, c)
				b.exec(t, "INSERT INTO steps VALUES (700, 1), (1500, 2)")
				must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
				b.expectLedger(t, chunk.Completed)
				var other, named, affected int64
				must(t, b.conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE n <> id + 1), (SELECT count(*) FROM backfill.rejects WHERE key IN (ARRAY['700'], ARRAY['1500'])
					AND sqlstate = '21000' AND message LIKE '2 rows of the joined tables%'), (SELECT affected FROM backfill.ledger) FROM counters`).Scan(&other, &named, &affected))
				if other != 2 || named != 2 || affected != rows-2 {
					t.Fatalf("%d rows are left, %d of them named, %d written", other, named, affected)
				}
				b.exec(t, "DELETE FROM steps WHERE ctid IN (SELECT max(ctid) FROM steps WHERE id IN (700, 1500) GROUP BY id)")
				b.retriedAndTakenBack(t)
			})
		})
	}
}

// TestARowThatBelongsToSeveralFailsItsChunk where there is no budget: the reason has its key.
func TestARowThatBelongsToSeveralFailsItsChunk(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), steppedBy)
	b.exec(t, "INSERT INTO steps VALUES (700, 1)")
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	if reason := b.expectLedger(t, chunk.Failed); !strings.Contains(reason, `1 row within "id" > 699 AND "id" <= 700`) || !strings.Contains(reason, "SQLSTATE 21000 (cardinality_violation)") {
		t.Fatalf("reason: %s", reason)
	}
}
