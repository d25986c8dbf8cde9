package batch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/pgtest"
	"backfill/internal/statement"
	"backfill/internal/transform"

	"github.com/google/go-cmp/cmp"
)

var functions atomic.Int64

// computed is a run whose values the function computes; FUNCTION in the definition stands for it.
func computed(t *testing.T, db pgtest.Database, ddl, definition string, do transform.Do) *reversal {
	t.Helper()
	name := fmt.Sprintf("function-%d", functions.Add(1))
	transform.Register(name, "1", do)
	return reversible(t, db, ddl, strings.ReplaceAll(definition, "FUNCTION", name))
}

// transformed makes the batches; passes above 1: in passes.
func (b *reversal) transformed(passes int) *batch.Transformed {
	function, _ := transform.Find(b.change.Function.Name)
	made := &batch.Transformed{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}, Function: function,
		Form: transform.NewForm(*b.change.Function), Source: &batch.InOrder{}}
	if passes > 1 {
		made.Source = &batch.InPasses{Window: statement.Window{Keys: 64, Passes: passes, Batches: 2}}
	}
	return made
}

// compute applies the whole chunk. The ledger says that the passes are chosen, so that the function works ahead.
func (b *reversal) compute(t *testing.T, passes int, rows int64) {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	if claim.Passes == 0 {
		held, err := b.ledger.Decide(t.Context(), claim, passes, "a test")
		if must(t, err); !held {
			t.Fatal("the claim does not hold")
		}
	}
	b.exec(t, "UPDATE backfill.ledger SET owner = ''") // the next claim is another's
	b.exec(t, "UPDATE backfill.ledger SET lease_until = NULL, state = 'PENDING'")
	b.chunk.Send++
	b.walk(t, b.transformed(passes), rows)
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
}

// twice gives n + n, and "seen <n>" as note where the table has one.
func twice(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
	for _, row := range rows {
		n, _ := row.Int("n")
		changes = append(changes, row.Change().Set("n", transform.Int(n+n)))
	}
	return changes, nil
}

// TestATransformAndItsRollbackAreTheIdentity on every kind of key, in order and in passes. The function reads what it writes, so a row
// that saw it twice would show it.
func TestATransformAndItsRollbackAreTheIdentity(t *testing.T) {
	for name, ddl := range keysOfEveryKind {
		for _, passes := range []int{1, 4} {
			t.Run(fmt.Sprint(name, passes), func(t *testing.T) {
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					table := "t"
					if strings.HasSuffix(name, "named old") {
						table = "old"
					}
					b := computed(t, db, ddl+"; ANALYZE", "table: "+table+"\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nwhere: n % 5 > 0\n", twice)
					before := b.image(t)
					b.exec(t, "CREATE TABLE before AS SELECT * FROM "+table)
					b.compute(t, passes, 23)
					key := strings.Join(quotedNames(b), ", ")
					if wrong := b.number(t, fmt.Sprintf("SELECT count(*) FROM %s AS now JOIN before USING (%s) WHERE now.n <> before.n * CASE WHEN before.n %% 5 > 0 THEN 2 ELSE 1 END", table, key)); wrong != 0 {
						t.Fatalf("%d rows are wrong", wrong)
					}
					if affected, scanned := b.number(t, "SELECT affected FROM backfill.ledger"), b.number(t, "SELECT scanned FROM backfill.ledger"); affected != 240 || scanned != 300 ||
						b.number(t, "SELECT sum(rows) FROM backfill.undo") != 240 || b.number(t, "SELECT count(*) FROM backfill.stripes") != 0 {
						t.Fatalf("%d rows written, %d scanned", affected, scanned)
					}
					if b.number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'COMPLETED' AND position = hi") != 1 {
						t.Fatal("the chunk is not done to its end")
					}
					b.back(t, 33)
					if diff := cmp.Diff(before, b.image(t)); diff != "" {
						t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
					}
				})
			})
		}
	}
}

func quotedNames(b *reversal) []string {
	var names []string
	for _, column := range b.change.Key {
		names = append(names, statement.Quote(column.Name))
	}
	return names
}

// valued has columns of all types that functions work on.
const valued = types + `CREATE DOMAIN small AS integer CHECK (value < 1000);
	CREATE TABLE t (id bigint PRIMARY KEY, a text, b varchar(8), c char(5), d mood, e smallint, f int, g bigint, h numeric, i numeric(6,2), j real, k double precision,
		l boolean, m date, n timestamp, o timestamptz, p uuid, q bytea, t json, s jsonb, u word, v small, w bpchar, x text COLLATE same);
	INSERT INTO t (id) SELECT generate_series(1, 40);
	INSERT INTO t SELECT g, (ARRAY['', ' ', 'a''b"c\d', E'\n\t', 'NULL', '{1,2}', 'ä😀', NULL])[1 + g % 8], 'b', (ARRAY['a', 'a    ', '', NULL])[1 + g % 4], (ARRAY['sad', 'so so'])[1 + g % 2]::mood,
		-32768, g - 100, 9007199254740993, (ARRAY['1.0', '1.00', 'NaN', '-0.000', '123456789012345678901234567890.123456789'])[1 + g % 5]::numeric, 1.5,
		(ARRAY['NaN', '-0', '0.1', '3.4028235e38', '1e-45'])[1 + g % 5]::real, (ARRAY['NaN', 'Infinity', '-0', '0.1', '1e-307', '5e-324'])[1 + g % 6]::float8,
		g % 2 = 0, (ARRAY['2024-02-29', '0044-03-15 BC', '12024-01-01'])[1 + g % 3]::date, '2024-01-01 00:00:00.000001',
		(ARRAY['2024-02-29 12:34:56.789012+05:30', '0044-03-15 00:00:00+00 BC'])[1 + g % 2]::timestamptz, md5(g::text)::uuid,
		(ARRAY['', '\x00', '\x00ff5c27'])[1 + g % 3]::bytea, '{"a":1, "a":2}', (ARRAY['null', '{"a": 1.0, "b": [1, 2.50]}'])[1 + g % 2]::jsonb, ' b ', 7,
		(ARRAY['a', 'a    '])[1 + g % 2]::bpchar, 'A' FROM generate_series(41, 140) g; ANALYZE t`

// echo takes each value as Go has it, and gives it back; every other row as it is, else with small changes.
func echo(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
	for _, row := range rows {
		c := row.Change()
		set := func(column string, ok bool, value transform.Value) {
			if !ok {
				value = transform.Null()
			}
			c.Set(column, value)
		}
		for _, column := range []string{"a", "b", "c", "d", "h", "i", "u", "w", "x"} {
			value, ok := row.Text(column)
			set(column, ok, transform.Text(value))
		}
		for _, column := range []string{"e", "f", "g", "v"} {
			value, ok := row.Int(column)
			set(column, ok, transform.Int(value))
		}
		for _, column := range []string{"j", "k"} {
			value, ok := row.Float(column)
			set(column, ok, transform.Float(value))
		}
		for _, column := range []string{"m", "n", "o"} {
			value, ok := row.Time(column)
			set(column, ok, transform.Time(value))
		}
		for _, column := range []string{"t", "s"} {
			value, ok := row.JSON(column)
			set(column, ok, transform.JSON(value))
		}
		l, ok := row.Bool("l")
		set("l", ok, transform.Bool(l))
		p, ok := row.UUID("p")
		set("p", ok, transform.UUID(p))
		q, ok := row.Bytes("q")
		set("q", ok, transform.Bytes(q))
		changes = append(changes, c)
	}
	return changes, nil
}

const allColumns = "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, t, s, u, v, w, x"

// TestEachValueComesBackAsItWas: what goes to Go and back is the stored image, of every type; so no row is written. Where one is
// written, a rollback restores the image.
func TestEachValueComesBackAsItWas(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := computed(t, db, valued, "table: t\ntransform: {function: FUNCTION, reads: ["+allColumns+"], writes: ["+allColumns+"]}\n", echo)
		before := b.image(t)
		b.exec(t, "CREATE TABLE written (id bigint); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO written VALUES (new.id); RETURN new; END $$")
		b.exec(t, "CREATE TRIGGER note BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()")
		b.compute(t, 1, 50)
		if diff := cmp.Diff(before, b.image(t)); diff != "" {
			t.Errorf("values have changed (-before +after):\n%.2000s", diff)
		}
		if written := b.number(t, "SELECT count(*) FROM written"); written != 0 || b.number(t, "SELECT scanned FROM backfill.ledger") != 140 {
			t.Errorf("%d rows that held the values were written", written)
		}
	})
}

// TestARollbackRestoresEachType.
func TestARollbackRestoresEachType(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		all := strings.Split(allColumns, ", ")
		b := computed(t, db, valued, "table: t\ntransform: {function: FUNCTION, writes: ["+allColumns+"]}\n",
			func(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
				for _, row := range rows {
					c := row.Change()
					for _, column := range all {
						c.Set(column, transform.Null())
					}
					id, _ := row.Int("id")
					changes = append(changes, c.Set("f", transform.Int(id)))
				}
				return changes, nil
			})
		before := b.image(t)
		b.compute(t, 1, 50)
		if n := b.number(t, "SELECT count(*) FROM t WHERE f = id AND num_nonnulls("+allColumns+") = 1"); n != 140 {
			t.Fatalf("%d rows are written", n)
		}
		b.back(t, 30)
		if diff := cmp.Diff(before, b.image(t)); diff != "" {
			t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
		}
	})
}

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

// TestTheNextBatchIsComputedWhileOneIsWritten: the write of the first waits for the second call, and the second call for the commit of
// the first.
func TestTheNextBatchIsComputedWhileOneIsWritten(t *testing.T) {
	db := pgtest.Newest(t)
	calls, beside := 0, db.Connect(t)
	b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\n",
		func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
			if calls++; calls == 2 {
				if _, err := beside.Exec(ctx, "INSERT INTO called VALUES (2)"); err != nil {
					return nil, err
				}
				pgtest.WaitUntil(t, beside, "SELECT count(*) = 40 FROM t WHERE n = id * 2")
			}
			return twice(ctx, rows)
		})
	b.exec(t, `CREATE TABLE called (n int); CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE until timestamptz := clock_timestamp() + interval '20 s'; BEGIN
			WHILE NOT EXISTS (SELECT FROM called) LOOP
				IF clock_timestamp() > until THEN RAISE EXCEPTION 'nothing is computed meanwhile'; END IF;
			END LOOP;
			RETURN NULL;
		END $$`)
	b.exec(t, "CREATE TRIGGER wait BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION wait()")
	b.compute(t, 1, 40)
	if n := b.number(t, "SELECT count(*) FROM t WHERE n = id * 2"); n != 100 || calls != 3 {
		t.Fatalf("%d rows, %d calls", n, calls)
	}
}
