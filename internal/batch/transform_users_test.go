package batch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

// TestAUserWhoWritesBetweenReadAndWrite: the function itself does what users do then, once for each case. What was read is not
// written over what they wrote: the row is read again, whatever was changed in it, and given to the function again; the others are not.
func TestAUserWhoWritesBetweenReadAndWrite(t *testing.T) {
	for name, user := range map[string]struct {
		sql, row string // of the user, and the row of id 7 in the end; "" where it is gone
		calls    int    // that the row is given
	}{
		"changes what is read":             {"UPDATE t SET n = 1000 WHERE id = 7", `(7,1000,"1000 note 7")`, 2},
		"changes what is read and written": {"UPDATE t SET n = 1000, note = 'mine' WHERE id = 7", `(7,1000,"1000 mine")`, 2},
		"makes it NULL":                    {"UPDATE t SET n = NULL WHERE id = 7", `(7,,"none note 7")`, 2},
		"changes another column":           {"UPDATE t SET other = 'x' WHERE id = 7", `(7,7,"7 note 7")`, 2},
		"takes it out of scope":            {"UPDATE t SET n = -7 WHERE id = 7", `(7,-7,"note 7")`, 1},
		"takes it out by what is not read": {"UPDATE t SET other = 'gone' WHERE id = 7", `(7,7,"note 7")`, 1},
		"deletes it":                       {"DELETE FROM t WHERE id = 7", "", 1},
		"changes it and back":              {"UPDATE t SET n = 8 WHERE id = 7; UPDATE t SET n = 7 WHERE id = 7", `(7,7,"7 note 7")`, 2},
		"moves it":                         {"VACUUM FULL t", `(7,7,"7 note 7")`, 1},
		"makes it what it would be":        {"UPDATE t SET note = '7 note 7' WHERE id = 7", `(7,7,"7 7 note 7")`, 2},
	} {
		for table, passes := range map[string]int{"t": 1, "t, in passes": 4, "t, without undo": 1, "partitioned": 1} {
			{
				t.Run(fmt.Sprint(name, passes, table), func(t *testing.T) {
					pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
						ddl := "CREATE TABLE t (id int PRIMARY KEY, n int, note text, other text)"
						if table == "partitioned" {
							ddl += " PARTITION BY HASH (id); CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE t2 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)"
						}
						undo := "on"
						if strings.HasSuffix(table, "undo") {
							undo = "off"
						}
						var mutex sync.Mutex
						calls, done := map[int64]int{}, false
						beside := db.Connect(t)
						b := computed(t, db, ddl+"; INSERT INTO t SELECT g, g, 'note ' || g FROM generate_series(1, 60) g; ANALYZE t",
							"table: t\ntransform: {function: FUNCTION, reads: [n, note], writes: [note]}\nwhere: (n > 0 OR n IS NULL) AND other IS DISTINCT FROM 'gone'\nundo: "+undo+"\n",
							func(ctx context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
								mutex.Lock()
								defer mutex.Unlock()
								for _, row := range rows {
									id, _ := row.Int("id")
									if calls[id]++; id == 7 && !done {
										done = true
										if _, err := beside.PgConn().Exec(ctx, user.sql).ReadAll(); err != nil {
											t.Error(err)
										}
									}
									n, ok := row.Text("n")
									if !ok {
										n = "none"
									}
									note, _ := row.Text("note")
									changes = append(changes, row.Change().Set("note", transform.Text(n+" "+note)))
								}
								return changes, nil
							})
						b.compute(t, passes, 20)
						var row string
						_ = b.beside.QueryRow(t.Context(), "SELECT (id, n, note)::text FROM t WHERE id = 7").Scan(&row)
						if row != user.row || calls[7] != user.calls {
							t.Errorf("the row is %s, want %s; it was given %d times, want %d", row, user.row, calls[7], user.calls)
						}
						if wrong := b.number(t, "SELECT count(*) FROM t WHERE id <> 7 AND note <> id || ' note ' || id"); wrong != 0 {
							t.Errorf("%d other rows are wrong", wrong)
						}
						for id, n := range calls {
							if id != 7 && n != 1 {
								t.Errorf("row %d was given %d times", id, n)
							}
						}
					})
				})
			}
		}
	}
}

// TestAHotTableComesToAnEnd: with each call users write some of the rows that are being worked on. Each row is written once for what it
// holds in the end.
func TestAHotTableComesToAnEnd(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		beside := db.Connect(t)
		given := 0
		b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [note]}\n",
			func(ctx context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
				given += len(rows)
				for _, row := range rows {
					n, _ := row.Text("n")
					changes = append(changes, row.Change().Set("note", transform.Text("saw "+n)))
				}
				if _, err := beside.Exec(ctx, "UPDATE t SET n = n + 1 WHERE id % 9 = $1 AND n < id + 6 AND note NOT LIKE 'saw%'", given%9); err != nil {
					t.Error(err)
				}
				return changes, nil
			})
		b.walk(t, b.transformed(1), 100)
		if right := b.number(t, "SELECT count(*) FROM t WHERE note = 'saw ' || n"); right != 100 || given < 110 {
			t.Fatalf("%d of 100 rows are right; %d were given", right, given)
		}
	})
}

// TestUsersWhoMeetABatchMeetTheNextOne, too: the size that gets through beside them is not searched for anew by each batch. Here that is eight
// rows: of larger batches users change each row. A sequence counts the statements that were tried.
func TestUsersWhoMeetABatchMeetTheNextOne(t *testing.T) {
	db := pgtest.Newest(t)
	beside := db.Connect(t)
	b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [note]}\n",
		func(ctx context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
			for _, row := range rows {
				id, _ := row.Int("id")
				n, _ := row.Text("n")
				changes = append(changes, row.Change().Set("note", transform.Text("saw "+n)))
				if len(rows) > 8 {
					if _, err := beside.Exec(ctx, "UPDATE t SET n = n + 1 WHERE id = $1", id); err != nil {
						return nil, err
					}
				}
			}
			return changes, nil
		})
	b.exec(t, `CREATE SEQUENCE tried; CREATE FUNCTION tried() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF current_setting('application_name') LIKE 'backfill%' THEN PERFORM nextval('tried'); END IF; RETURN NULL; END $$;
		CREATE TRIGGER tried BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION tried()`)
	b.walk(t, b.transformed(1), 100)
	if right := b.number(t, "SELECT count(*) FROM t WHERE note = 'saw ' || n"); right != 100 {
		t.Fatalf("%d of 100 rows are right", right)
	}
	if tried := b.number(t, "SELECT last_value FROM tried"); tried < 20 || tried > 45 {
		t.Errorf("%d statements", tried)
	}
}

// TestNothingIsLockedWhileTheFunctionWorks: a user writes each of its rows at once, and no transaction of the worker is open.
func TestNothingIsLockedWhileTheFunctionWorks(t *testing.T) {
	db := pgtest.Newest(t)
	beside := db.Connect(t)
	var rows []int
	b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [note]}\n",
		func(ctx context.Context, given []transform.Row) (changes []transform.Change, _ error) {
			rows = append(rows, len(given))
			_, err := beside.Exec(ctx, "SET lock_timeout = '1s'")
			if err != nil {
				return nil, err
			}
			for _, row := range given {
				id, _ := row.Int("id")
				if _, err := beside.Exec(ctx, "UPDATE t SET note = 'user' WHERE id = $1", id); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
	b.walk(t, b.transformed(1), 40) // no passes are chosen: nothing is written meanwhile
	if n := b.number(t, "SELECT count(*) FROM t WHERE note = 'user'"); n != 100 || !slices.Equal(rows, []int{40, 40, 20}) {
		t.Fatalf("%d rows, calls of %v", n, rows)
	}
	if affected, scanned := b.number(t, "SELECT affected FROM backfill.ledger"), b.number(t, "SELECT scanned FROM backfill.ledger"); affected != 0 || scanned != 100 {
		t.Fatalf("%d written, %d scanned", affected, scanned)
	}
}
