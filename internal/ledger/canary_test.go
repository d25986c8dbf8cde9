package ledger_test

import (
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// TestTheSameChunksAreChosen by the database and by the planner, as many as the share says, and evenly.
func TestTheSameChunksAreChosen(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	for _, share := range []int64{0, 1_000, 10_000, 33_333, 100_000, 333_333, 500_000} {
		rows, _ := b.conn.Query(t.Context(), "SELECT backfill.chosen(n, $1) FROM generate_series(1, 10000) AS n", share)
		chosen, err := pgx.CollectRows(rows, pgx.RowTo[bool])
		must(t, err)
		count, last := int64(0), 0
		for i, in := range chosen {
			if in != chunk.Chosen(int64(i)+1, share) {
				t.Fatalf("chunk %d, share %d: %v in the database", i+1, share, in)
			}
			if in {
				if gap := int64(i - last); share > 0 && gap > (1_000_000+share-1)/share {
					t.Errorf("share %d: %d chunks in between", share, gap)
				}
				count, last = count+1, i
			}
		}
		if want := 9_999*share/1_000_000 + 1; share > 0 && count != want || share == 0 && count != 10_000 || !chosen[0] {
			t.Errorf("share %d: %d chunks are chosen, want %d", share, count, want)
		}
	}
}
