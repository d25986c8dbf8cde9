package worker_test

import (
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"
)

// TestThePassesAreNotChosenByOneRow: a row that does not allow the change leaves a first batch of one row, and that had not to be written.
func TestThePassesAreNotChosenByOneRow(t *testing.T) {
	t.Parallel()
	c := counters
	c.ChunkRows, c.Where = striped, "id > 1"
	b := setup(t, pgtest.Newest(t), c)
	b.budgeted(t, c, "n + 1 + 0 / (2 - id)::int", 1)
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectLedger(t, chunk.Completed)
	b.expectPasses(t, true)
}
