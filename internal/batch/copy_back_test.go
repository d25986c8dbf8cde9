package batch_test

import (
	"errors"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

// TestARollbackOfACopyLeavesAloneWhatUsersChanged, and names it with what it holds now: a row that was inserted in any column, one
// that was updated in those that were written.
func TestARollbackOfACopyLeavesAloneWhatUsersChanged(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, filled, "table: t\ncopy: {into: old, on_conflict: update}\n")
		b.exec(t, "INSERT INTO old VALUES (9, -9, 'nine', 'z')")
		b.forward(t, 40)
		b.exec(t, `UPDATE old SET mine = 'theirs' WHERE id IN (3, 7); UPDATE old SET note = 'changed' WHERE id IN (4, 9); DELETE FROM old WHERE id = 5`)
		b.back(t, 25)
		want := []string{"(3,3,\"note 3\",theirs)", "(4,4,changed,)", "(7,-7,old,theirs)", "(8,8,\"note 8\",y)", "(9,9,changed,z)"}
		if diff := cmp.Diff(want, b.images(t, "old")); diff != "" {
			t.Fatalf("after the rollback (-want +got):\n%s", diff)
		}
		const named = `SELECT count(*) FROM backfill.conflicts WHERE found_at IS NOT NULL AND why = '' AND (key[1], was, coalesce(holds, '{}')) IN
			(('3', '{}', '{3,note 3}'), ('4', '{}', '{4,changed}'), ('5', '{}', '{}'), ('9', '{-9,nine}', '{9,changed}'))`
		if n := b.number(t, named); n != 4 || b.number(t, "SELECT conflicts FROM backfill.ledger") != 4 || b.number(t, "SELECT restored FROM backfill.ledger") != 95 {
			t.Fatalf("%d conflicts are named", n)
		}
	})
}

// TestARowThatIsReferredToIsAConflictOfTheRollback: it stays, with the reason. So does one of which a user has set a column that was not copied.
func TestARowThatIsReferredToIsAConflictOfTheRollback(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"NO ACTION", "RESTRICT"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, filled, "table: t\ncopy: {into: old, on_conflict: nothing}\n")
				b.forward(t, 40)
				b.exec(t, "CREATE TABLE child (old int REFERENCES old ON DELETE "+action+"); INSERT INTO child VALUES (50); UPDATE old SET mine = 'x' WHERE id = 51")
				_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
				must(t, err)
				claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
				must(t, err)
				back := &batch.Back{Change: b.change, Timeout: time.Minute}
				for size, done := int64(25), false; !done; {
					outcome, err := back.Step(t.Context(), b.conn, &claim, size)
					var failed *batch.Failed
					switch {
					case errors.As(err, &failed) && failed.Keys == 1:
						row, _ := failed.Row()
						if row.Key[0] != "50" || !failed.Displaced() {
							t.Fatalf("%v failed: %v", row.Key, err)
						}
						must(t, back.Pass(t.Context(), b.conn, &claim, row))
					case errors.As(err, &failed):
						size = 1
					default:
						must(t, err)
					}
					done = outcome.Done
				}
				if n := b.number(t, "SELECT count(*) FROM backfill.conflicts WHERE key = '{50}' AND holds = '{50,note 50}' AND why ~ 'SQLSTATE 23[05]0[31]'"); n != 1 || b.number(t, "SELECT count(*) FROM old") != 4 || b.number(t, "SELECT count(*) FROM backfill.conflicts") != 2 {
					t.Fatalf("%d conflicts", n)
				}
			})
		})
	}
}
