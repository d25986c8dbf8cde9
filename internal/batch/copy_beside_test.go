package batch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// TestAUserWhoWritesWhileACopyWaits: who has written the source is waited for, and the row is copied as it is then.
func TestAUserWhoWritesWhileACopyWaits(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]struct{ sql, want, back string }{ // the row after the run, and the target after its rollback
		"changes the row":                {"UPDATE t SET note = 'mine' WHERE id = 3", "(3,3,mine,)", `(7,-7,old,x)`},
		"takes it out of scope":          {"UPDATE t SET n = -3 WHERE id = 3", "", `(7,-7,old,x)`},
		"deletes it":                     {"DELETE FROM t WHERE id = 3", "", `(7,-7,old,x)`},
		"writes both":                    {"UPDATE t SET note = 'mine' WHERE id = 3; INSERT INTO old VALUES (3, 3, 'mine', 'x')", "(3,3,mine,x)", `(3,3,mine,x) (7,-7,old,x)`},
		"has another row of the target":  {"INSERT INTO old VALUES (3, 3, 'older', 'x')", `(3,3,"note 3",x)`, `(3,3,older,x) (7,-7,old,x)`},
		"changes the row of the target":  {"UPDATE old SET note = 'late', mine = 'late' WHERE id = 7", `(7,7,"note 7",late)`, `(7,-7,late,late)`},
		"takes the target's row away":    {"DELETE FROM old WHERE id = 7", `(7,7,"note 7",)`, ""},
		"gives that row another key too": {"UPDATE old SET id = 1007 WHERE id = 7", `(7,7,"note 7",)`, `(1007,-7,old,x)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, filled, "table: t\ncopy: {into: old, on_conflict: update}\nwhere: n > 0\n")
				tx, err := b.beside.Begin(t.Context())
				must(t, err)
				_, err = tx.Exec(t.Context(), user.sql)
				must(t, err)
				committed := make(chan error, 1)
				go func() {
					defer close(committed) // also where nobody ever waits
					pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity "+
						"WHERE datname = current_database() AND wait_event_type = 'Lock')")
					committed <- tx.Commit(context.Background())
				}()
				b.forwardPatiently(t)
				must(t, <-committed)
				b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
				id := "3"
				if strings.Contains(user.sql, "7") {
					id = "7"
				}
				if got := strings.Join(b.images(t, "(SELECT * FROM old WHERE id = "+id+")"), ""); got != user.want {
					t.Fatalf("after the run: %s, want %s", got, user.want)
				}
				if n := b.number(t, "SELECT count(*) FROM old JOIN t USING (id, n, note)"); n != b.number(t, "SELECT count(*) FROM t WHERE n > 0") {
					t.Fatalf("%d rows are copied", n)
				}
				b.back(t, 100)
				if got := strings.Join(b.images(t, "(SELECT * FROM old WHERE id <> 8)"), " "); got != user.back {
					t.Fatalf("after the rollback: %s, want %s", got, user.back)
				}
			})
		})
	}
}

// TestRowsOfABatchForOneRow: they come one after the other in smaller batches, and the last one stays.
func TestRowsOfABatchForOneRow(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, numbered+"; CREATE TABLE old (n int PRIMARY KEY, last int); INSERT INTO old VALUES (3, -1)",
			"table: t\ncopy:\n  into: old\n  columns: {n: n % 10, last: id}\n  on_conflict: update\n")
		before := b.images(t, "old")
		claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
		must(t, err)
		b.chunk.Send++
		forward := &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}
		_, err = forward.Step(t.Context(), b.conn, &claim, 11)
		if !failure.Is(err, failure.Data) || !postgres.Raised(err, "23505") {
			t.Fatal(err)
		}
		for done := false; !done; {
			outcome, err := forward.Step(t.Context(), b.conn, &claim, 5)
			must(t, err)
			done = outcome.Done
		}
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		if n := b.number(t, "SELECT count(*) FROM old WHERE last = 90 + n + CASE n WHEN 0 THEN 10 ELSE 0 END"); n != 10 || b.number(t, "SELECT affected FROM backfill.ledger") != 100 {
			t.Fatalf("%d rows have the last value", n)
		}
		b.back(t, 25)
		if diff := cmp.Diff(before, b.images(t, "old")); diff != "" {
			t.Fatalf("after the rollback (-want +got):\n%s", diff)
		}
	})
}

// TestApplicationsThatWriteBothTablesLoseNothing: those that write the source first, and then the row of the target where there is one.
func TestApplicationsThatWriteBothTablesLoseNothing(t *testing.T) {
	t.Parallel()
	for _, conflict := range []string{"nothing", "update"} {
		t.Run(conflict, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, numbered+"; CREATE TABLE old (id int PRIMARY KEY, n int, note text)", "table: t\ncopy: {into: old, on_conflict: "+conflict+"}\n")
				stop := make(chan struct{})
				ended := make(chan error, 3)
				for user := range 3 {
					conn := db.Connect(t)
					go func() {
						for i := 0; ; i++ {
							select {
							case <-stop:
								ended <- nil
								return
							default:
							}
							id, note := (i*7+user*31)%100+1, fmt.Sprintf("%d of %d", i, user)
							err := pgx.BeginFunc(context.Background(), conn, func(tx pgx.Tx) error {
								if _, err := tx.Exec(context.Background(), "UPDATE t SET note = $1 WHERE id = $2", note, id); err != nil {
									return err
								}
								_, err := tx.Exec(context.Background(), "UPDATE old SET note = $1 WHERE id = $2", note, id)
								return err
							})
							if err != nil {
								ended <- err
								return
							}
						}
					}()
				}
				claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
				must(t, err)
				forward := &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}
				for done := false; !done; {
					outcome, err := forward.Step(t.Context(), b.conn, &claim, 3)
					if err != nil && !failure.Is(err, failure.Transient) {
						t.Fatal(err)
					}
					done = outcome.Done
				}
				close(stop)
				for range 3 {
					must(t, <-ended)
				}
				if n := b.number(t, "SELECT count(*) FROM old JOIN t USING (id, n, note)"); n != 100 {
					t.Fatalf("%d of 100 rows are the same in both tables", n)
				}
			})
		})
	}
}
