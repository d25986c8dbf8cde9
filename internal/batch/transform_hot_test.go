package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/batch"
	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/transform"

	"github.com/jackc/pgx/v5"
)

// changing changes a row as users do, whenever the function works on it; false: they would have to wait, as the row is locked.
func changing(ctx context.Context, t *testing.T, users *pgx.Conn, id int64) (changed bool) {
	t.Helper()
	_, err := users.Exec(ctx, "UPDATE t SET n = n + 1 WHERE id = $1", id)
	if err != nil && !strings.Contains(err.Error(), "55P03") {
		t.Error(err)
	}
	return err == nil
}

// impatient is a connection of users who do not wait for a lock.
func impatient(t *testing.T, db pgtest.Database) *pgx.Conn {
	t.Helper()
	conn := db.Connect(t)
	_, err := conn.Exec(t.Context(), "SET lock_timeout = '20ms'")
	must(t, err)
	return conn
}

// TestARowThatIsAlwaysHot is locked in the end while the function works on it, alone, and the write has what it holds then.
func TestARowThatIsAlwaysHot(t *testing.T) {
	for _, passes := range []int{1, 4} {
		for _, undo := range []string{"on", "off"} {
			t.Run(fmt.Sprint(passes, undo), func(t *testing.T) {
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					users, locked, calls := impatient(t, db), 0, 0
					b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [note]}\nundo: "+undo+"\n",
						func(ctx context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
							for _, row := range rows {
								n, _ := row.Text("n")
								changes = append(changes, row.Change().Set("note", transform.Text("saw "+n)))
								if id, _ := row.Int("id"); id != 40 {
									continue
								}
								if calls++; calls > 30 {
									return nil, errors.New("it does not end")
								}
								if !changing(ctx, t, users, 40) {
									if locked++; len(rows) > 1 {
										t.Errorf("%d rows are locked", len(rows))
									}
								}
							}
							return changes, nil
						})
					b.compute(t, passes, 20)
					if right := b.number(t, "SELECT count(*) FROM t WHERE note = 'saw ' || n AND (n = id) = (id <> 40)"); right != 100 || locked != 1 {
						t.Fatalf("%d of 100 rows are right; %d calls under a lock", right, locked)
					}
					if affected, scanned := b.number(t, "SELECT affected FROM backfill.ledger"), b.number(t, "SELECT scanned FROM backfill.ledger"); affected != 100 || scanned != 100 {
						t.Errorf("%d written, %d scanned", affected, scanned)
					}
				})
			})
		}
	}
}

// TestUsersDoNotWaitLongForARowThatIsHot: a function that takes too long for it has the row fail, by its key, and the lock is gone.
func TestUsersDoNotWaitLongForARowThatIsHot(t *testing.T) {
	db := pgtest.Newest(t)
	users := impatient(t, db)
	b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [note]}\n",
		func(ctx context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
			if !changing(ctx, t, users, 1) {
				<-ctx.Done()
			}
			for _, row := range rows {
				changes = append(changes, row.Change().Set("note", transform.Text("seen")))
			}
			return changes, ctx.Err()
		})
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	_, err = b.transformed(1).Step(t.Context(), b.conn, &claim, 1)
	var failed *batch.Failed
	if !errors.As(err, &failed) || failure.Of(err) != failure.Data {
		t.Fatal(err)
	}
	row, ok := failed.Row()
	if !ok || row.Key[0] != "1" || row.SQLState != "BF004" || !strings.Contains(failure.Safe(err), "users change the row again and again") {
		t.Errorf("%+v: %v", row, failure.Safe(err))
	}
	if !changing(t.Context(), t, users, 1) {
		t.Error("the row is locked still")
	}
}
