package rebuild_test

import (
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/rebuild"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// TestRecordsOfARunThatGoesDown: gaps are cut from above, up to the bound; what is left is planned on below the last chunk.
func TestRecordsOfARunThatGoesDown(t *testing.T) {
	t.Parallel()
	b := ordered(t, keyset.Descending)
	b.entry(t, 2, "400", "500", chunk.Completed, 1)
	b.entry(t, 5, "100", "200", chunk.Processing, 3)
	// Rows that came and went since do not move what is known.
	_, err := b.conn.Exec(t.Context(), "DELETE FROM t WHERE id > 510")
	must(t, err)
	_, err = b.conn.Exec(t.Context(), "INSERT INTO t SELECT 600 + g FROM generate_series(1, 500) g")
	must(t, err)
	done, err := b.rebuild.Rebuild(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff(rebuild.Rebuilt{Run: theRun, Chunks: 5, Gaps: 2, Planned: 5}, done); diff != "" {
		t.Fatal(diff)
	}
	want := []string{"1: 500-600 PENDING", "2: 400-500 COMPLETED", "3: 300-400 PENDING", "4: 200-300 PENDING", "5: 100-200 PROCESSING"}
	if diff := cmp.Diff(want, b.ranges(t)); diff != "" {
		t.Fatal(diff)
	}
	record, err := b.records.Run(t.Context(), theRun)
	must(t, err)
	if record.Plan.Planned != 5 || record.Plan.Closed || !record.Plan.Cursor.Same(keyset.Point{"100"}) {
		t.Fatalf("%+v", record)
	}
}

// TestAGapOfARunThatGoesDown: with fewer rows than before it keeps its numbers, with more its last range is larger. The run is complete then.
func TestAGapOfARunThatGoesDown(t *testing.T) {
	t.Parallel()
	for change, want := range map[string][]string{
		"DELETE FROM t WHERE id > 200 AND id <= 450":                                                         {"2: 200-500 PENDING", "3: 200-200 COMPLETED", "4: 200-200 COMPLETED"},
		"DELETE FROM t WHERE id > 250 AND id <= 300":                                                         {"2: 400-500 PENDING", "3: 250-400 PENDING", "4: 200-250 PENDING"},
		"ALTER TABLE t ALTER id TYPE numeric; INSERT INTO t SELECT g + 0.5 FROM generate_series(201, 499) g": {"2: 450-500 PENDING", "3: 400-450 PENDING", "4: 200-400 PENDING"},
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			b := ordered(t, keyset.Descending)
			b.entry(t, 1, "500", "600", chunk.Completed, 1)
			b.entry(t, 5, "", "200", chunk.Completed, 1)
			if strings.HasPrefix(change, "ALTER") {
				_, err := b.conn.Exec(t.Context(), "UPDATE backfill.runs SET change = replace(change::text, 'bigint', 'numeric')::json")
				must(t, err)
			}
			_, err := b.conn.Exec(t.Context(), change, pgx.QueryExecModeSimpleProtocol)
			must(t, err)
			_, err = b.rebuild.Rebuild(t.Context(), theRun)
			must(t, err)
			whole := append(append([]string{"1: 500-600 COMPLETED"}, want...), "5: -200 COMPLETED")
			if diff := cmp.Diff(whole, b.ranges(t)); diff != "" {
				t.Fatal(diff)
			}
			_, err = b.conn.Exec(t.Context(), "UPDATE backfill.ledger SET state = 'COMPLETED', position = hi")
			must(t, err)
			tiling, err := b.ledger.Tiling(t.Context(), theRun)
			must(t, err)
			record, err := b.records.Run(t.Context(), theRun)
			must(t, err)
			if !tiling.Complete(record.Plan.Planned) || !record.Plan.Closed || record.Plan.Cursor != nil {
				t.Fatalf("%+v, %+v", tiling, record.Plan)
			}
		})
	}
}
