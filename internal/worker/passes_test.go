package worker_test

import (
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
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

// TestPassesAreGivenUpWhereTheyDoNotPay: a session of somebody else keeps dead rows, so no pass finds room. Chunks after the first are plain, and say
// why; the eighth tries again.
func TestPassesAreGivenUpWhereTheyDoNotPay(t *testing.T) {
	t.Parallel()
	b, c := setup(t, pgtest.Newest(t), counters), keeping(6_400)
	b.exec(t, "INSERT INTO counters SELECT g, g, g::text FROM generate_series(4001, 9 * 6400) g; ANALYZE counters")
	b.chunk.Range.Hi = []string{"57600"}
	b.anew(t, c)
	old, err := b.db.Connect(t).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	must(t, err)
	_, err = old.Exec(t.Context(), "SELECT FROM counters LIMIT 1")
	must(t, err)
	for _, message := range b.chunks(t, c) {
		must(t, b.worker(t, b.db.URL).Work(t.Context(), message))
	}
	b.expectRows(t, 1, chunk.Completed)
	rows, _ := b.conn.Query(t.Context(), "SELECT chunk, passes, passes_reason FROM backfill.ledger ORDER BY chunk")
	chunks := 0
	var number int64
	var passes int
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&number, &passes, &reason}, func() error {
		chunks++
		if tries := number == 1 || number == 8; tries != (passes > 1) || tries == strings.Contains(reason, "an old transaction may keep dead rows") {
			t.Errorf("chunk %d: %d passes, %s", number, passes, reason)
		}
		return nil
	})
	if must(t, err); chunks != 9 {
		t.Errorf("%d chunks", chunks)
	}
}
