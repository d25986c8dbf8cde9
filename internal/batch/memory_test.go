package batch_test

import (
	"context"
	"runtime"
	"testing"

	"backfill/internal/change"
	"backfill/internal/pgtest"
)

// TestWideRowsStayInPostgres: 32 rows of a megabyte are read and written, and the worker allocates next to nothing. It
// counts all that was ever allocated, so it must be alone: no t.Parallel.
func TestWideRowsStayInPostgres(t *testing.T) {
	const wide, megabyte = 32, 1 << 20
	b := setup(t, pgtest.Newest(t), change.Change{
		Kind: change.Set, Table: counters.Table, Key: counters.Key,
		Set: []change.Assignment{{Column: "body", Type: "text", Expression: "'x' || body"}},
	})
	b.exec(t, "ALTER TABLE counters ADD body text")
	b.exec(t, "DELETE FROM counters WHERE id > $1", wide)
	b.exec(t, "UPDATE counters SET body = repeat('0123456789abcdef', $1 / 16)", megabyte)
	worker := allocated(func() {
		if outcome, batches := b.walk(t, b.find(t, 8), 8); outcome.Affected != wide || batches < 4 {
			t.Errorf("%d batches, the last: %+v", batches, outcome)
		}
	})
	if worker > 2*megabyte {
		t.Errorf("the worker allocated %d bytes", worker)
	}
	// The measure sees a row where one is read.
	reader := allocated(func() {
		var body string
		must(t, b.conn.QueryRow(context.Background(), "SELECT body FROM counters LIMIT 1").Scan(&body))
	})
	if reader < megabyte {
		t.Errorf("reading a row allocated %d bytes", reader)
	}
}

func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
