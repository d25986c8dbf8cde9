package batch_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

// ahead makes the first batch of twenty rows; the next ones are read by then, as there is one connection.
func (b *reversal) ahead(t *testing.T, passes int, oldest time.Duration) (*batch.Transformed, *ledger.Claim) {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	_, err = b.ledger.Decide(t.Context(), claim, passes, "a test")
	must(t, err)
	claim.Passes = passes
	made := b.transformed(passes)
	made.Oldest, made.Reads = oldest, nil
	_, err = made.Step(t.Context(), b.conn, &claim, 20)
	must(t, err)
	return made, &claim
}

func (b *reversal) rest(t *testing.T, made *batch.Transformed, claim *ledger.Claim, rows int64) {
	t.Helper()
	for done := false; !done; {
		outcome, err := made.Step(t.Context(), b.conn, claim, rows)
		must(t, err)
		done = outcome.Done
	}
}

// TestARefusedRowIsReadAgain before it is told: users have mended it, deleted it, or taken it out of scope since the function refused it, or since
// it could not be read.
func TestARefusedRowIsReadAgain(t *testing.T) {
	for name, c := range map[string]struct {
		poison, mend string
		written      int64
	}{
		"refused, mended":       {"UPDATE t SET note = 'bad' WHERE id = 25", "UPDATE t SET note = 'good' WHERE id = 25", 100},
		"refused, deleted":      {"UPDATE t SET note = 'bad' WHERE id = 25", "DELETE FROM t WHERE id = 25", 99},
		"refused, out of scope": {"UPDATE t SET note = 'bad' WHERE id = 25", "UPDATE t SET n = -1000 WHERE id = 25", 99},
		"unread, mended":        {"UPDATE t SET n = 0 WHERE id = 21", "UPDATE t SET n = 21 WHERE id = 21", 100},
		"unread, deleted":       {"UPDATE t SET n = 0 WHERE id = 21", "DELETE FROM t WHERE id = 21", 99},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := computed(t, pgtest.Newest(t), numbered, "table: t\ntransform: {function: FUNCTION, reads: [n, note], writes: [n]}\nwhere: 1 / n + n >= 0\n",
				func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
					changes, err := twice(ctx, rows)
					for i, row := range rows {
						if note, _ := row.Text("note"); note == "bad" {
							changes[i] = row.Refuse(errors.New("bad"))
						}
					}
					return changes, err
				})
			b.exec(t, c.poison)
			made, claim := b.ahead(t, 1, time.Hour)
			var failed *batch.Failed
			for failed == nil || failed.Keys > 1 { // down to the row
				_, err := made.Step(t.Context(), b.conn, claim, 1)
				if err != nil && !errors.As(err, &failed) {
					t.Fatal(err)
				}
			}
			b.exec(t, c.mend)
			b.rest(t, made, claim, 20)
			if n := b.number(t, "SELECT affected FROM backfill.ledger"); n != c.written {
				t.Errorf("%d rows are written, want %d", n, c.written)
			}
		})
	}
}

// TestWhatIsOldIsReadAgain: a row comes into scope after it was read ahead. It is passed over by what was read, as one that the run is past, unless that has
// become too old.
func TestWhatIsOldIsReadAgain(t *testing.T) {
	for name, oldest := range map[string]time.Duration{"young": time.Hour, "old": time.Nanosecond} {
		for _, passes := range []int{1, 4} {
			t.Run(fmt.Sprint(name, passes), func(t *testing.T) {
				t.Parallel()
				b := computed(t, pgtest.Newest(t), numbered+"; UPDATE t SET n = -id WHERE id IN (25, 37)",
					"table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nwhere: n > 0\n", twice)
				made, claim := b.ahead(t, passes, oldest)
				b.exec(t, "UPDATE t SET n = id WHERE id IN (25, 37)")
				b.rest(t, made, claim, 20)
				want := map[string]int64{"young1": 98, "young4": 98, "old1": 100, "old4": 99}[fmt.Sprint(name, passes)] // 25 is of the first stripe, 37 of the next
				if n := b.number(t, "SELECT affected FROM backfill.ledger"); n != want {
					t.Errorf("%d rows are written, want %d", n, want)
				}
			})
		}
	}
}
