package batch_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"backfill/internal/pace"
	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

// TestWideRowsAreComputedFewAtATime: 64 rows of a megabyte, which Postgres keeps in a few bytes each, are asked for at once. A call gets
// no more than half of what a batch may have, and one row; what is alive then is two stretches with what came of them. It looks at all that is alive,
// so it must be alone: no t.Parallel.
func TestWideRowsAreComputedFewAtATime(t *testing.T) {
	const wide, megabyte = 64, 1 << 20
	var most, alive uint64
	b := computed(t, pgtest.Newest(t), "CREATE TABLE t (id int PRIMARY KEY, body text); ANALYZE t; INSERT INTO t SELECT g, repeat('0123456789abcdef', 65536) FROM generate_series(1, 64) g",
		"table: t\ntransform: {function: FUNCTION, reads: [body], writes: [body]}\n",
		func(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
			var bytes uint64
			for _, row := range rows {
				body, _ := row.Text("body")
				bytes += uint64(len(body))
				changes = append(changes, row.Change().Set("body", transform.Text(strings.ToUpper(body))))
			}
			most, alive = max(most, bytes), max(alive, living())
			return changes, nil
		})
	before := living()
	b.compute(t, 1, wide)
	if n := b.number(t, "SELECT count(*) FROM t WHERE body = repeat('0123456789ABCDEF', 65536)"); n != wide {
		t.Fatalf("%d rows are right", n)
	}
	if most > pace.MostBytes/2+megabyte {
		t.Errorf("a call got %d bytes", most)
	}
	// Read, computed, and on their way, twice each.
	if limit := uint64(8 * (pace.MostBytes/2 + megabyte)); alive-before > limit {
		t.Errorf("%d bytes are alive in a call, at most %d are allowed", alive-before, limit)
	}
}

// living is what is alive, by a collection of garbage.
func living() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
