package batch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/batch"
	"backfill/internal/failure"
	"backfill/internal/pgtest"
)

// TestAnErrorOfWhereWaitsForWhatIsBeforeIt: the read of the third batch fails while the second is about to be written. That is written,
// and the error says which rows the third has; a read of one has the row, and what is behind it is read on.
func TestAnErrorOfWhereWaitsForWhatIsBeforeIt(t *testing.T) {
	for _, passes := range []int{1, 4} {
		t.Run(fmt.Sprint(passes), func(t *testing.T) {
			db := pgtest.Newest(t)
			b := computed(t, db, numbered+"; UPDATE t SET n = 1",
				"table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nwhere: 1 / n > -2\n", twice)
			claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
			must(t, err)
			_, err = b.ledger.Decide(t.Context(), claim, passes, "a test")
			must(t, err)
			claim.Passes = passes
			poisoned := int64(45) // of stripes of 8 keys, 4 apart, it is in the third
			if passes > 1 {
				poisoned = 1 + 4*9 // keys 1, 5, .. 29; 33, .. 61; 2, ..
			}
			b.exec(t, fmt.Sprintf("UPDATE t SET n = 0 WHERE id = %d", poisoned))
			made, size := b.transformed(passes), int64(20)
			if passes > 1 {
				size = 4
			}
			var failed *batch.Failed
			written := int64(0)
			for ; err == nil && written < 100; written += size {
				_, err = made.Step(t.Context(), b.conn, &claim, size)
			}
			written -= size
			if !errors.As(err, &failed) || failure.Of(err) != failure.Data || failed.Keys != size || !strings.Contains(err.Error(), "22012") {
				t.Fatal(err)
			}
			if n := b.number(t, "SELECT count(*) FROM t WHERE n = 2"); n != written || n == 0 {
				t.Fatalf("%d rows are written, want %d", n, written)
			}
			for size > 1 {
				size /= 2
				for err = nil; err == nil; {
					_, err = made.Step(t.Context(), b.conn, &claim, size)
				}
				if !errors.As(err, &failed) || failed.Keys != size {
					t.Fatal(err)
				}
			}
			row, ok := failed.Row()
			if !ok || row.Key[0] != fmt.Sprint(poisoned) || row.SQLState != "22012" || failed.Within != fmt.Sprintf(`"id" = %d`, poisoned) {
				t.Fatalf("%+v within %s", row, failed.Within)
			}
			made.Change.ErrorBudget = 1
			must(t, made.Pass(t.Context(), b.conn, &claim, row))
			for done := false; !done; {
				outcome, err := made.Step(t.Context(), b.conn, &claim, 20)
				must(t, err)
				done = outcome.Done
			}
			if n := b.number(t, "SELECT count(*) FROM t WHERE n = 2"); n != 99 {
				t.Errorf("%d rows are written", n)
			}
		})
	}
}
