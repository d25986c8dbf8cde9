package batch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// looked is the table of the names that rows are given. There is none for each seventh.
const looked = `; CREATE SCHEMA "Look Up"; CREATE TABLE "Look Up"."Names" ("Id" int PRIMARY KEY, n text, name varchar(30), spare int);
	INSERT INTO "Look Up"."Names" SELECT g, 'n' || g, 'name ' || g, g FROM generate_series(1, 300) g WHERE g % 7 > 0; ANALYZE`

// naming writes names; rows that find none are left alone.
const naming = "\nfrom: {l: '\"Look Up\".\"Names\"'}\njoin: l.\"Id\" = %[1]s.n\nset:\n  name: l.name\n  copied: l.spare + 1\n  lone: \"'x'\"\nwhere: %[1]s.n %% 5 > 0 AND l.spare > 0\n"

// TestAJoinAndItsRollbackAreTheIdentity on every type of key, in the order of the keys and in passes, with undo and without.
func TestAJoinAndItsRollbackAreTheIdentity(t *testing.T) {
	ways := map[string]func(batch.Runner) steps{
		"plain": func(r batch.Runner) steps { return &batch.Forward{Runner: r} },
		"passes": func(r batch.Runner) steps {
			return &batch.Striped{Runner: r, Window: statement.Window{Keys: 120, Passes: 3, Batches: 2}}
		},
	}
	for name, ddl := range keysOfEveryKind {
		for way, steps := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					table := "t"
					if strings.HasSuffix(name, "named old") {
						table = "old"
					}
					ddl := ddl + "; ALTER TABLE " + table + " ADD name varchar(20) DEFAULT 'none', ADD copied bigint, ADD lone varchar(5)" + looked
					for _, undo := range []string{"on", "off"} {
						if undo == "off" {
							db.Exec(t, `DROP TABLE `+table+`; DROP SCHEMA "Look Up" CASCADE; DROP SCHEMA backfill CASCADE; DROP COLLATION IF EXISTS odd`)
						}
						b := reversible(t, db, ddl, "table: "+table+fmt.Sprintf(naming, table)+"undo: "+undo+"\n")
						before := b.image(t)
						b.walk(t, steps(batch.Runner{Change: b.change, Timeout: time.Minute}), 70)
						wrong := b.number(t, "SELECT count(*) FROM "+table+` WHERE concat_ws(',', name, copied, lone) <>
							CASE WHEN n % 5 > 0 AND n % 7 > 0 THEN concat('name ', n, ',', n + 1, ',x') ELSE 'none' END`)
						if affected := b.number(t, "SELECT affected FROM backfill.ledger"); wrong != 0 || affected != 206 {
							t.Fatalf("undo %s: %d rows are wrong, %d counted", undo, wrong, affected)
						}
						b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
						if kept := b.number(t, "SELECT coalesce(sum(rows), 0) FROM backfill.undo"); (kept == 206) != (undo == "on") || undo == "off" {
							continue
						}
						b.back(t, 33)
						if diff := cmp.Diff(before, b.image(t)); diff != "" {
							t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
						}
					}
				})
			})
		}
	}
}

const customers = `CREATE TABLE customers (id int, name text); INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 10) g;
	CREATE TABLE t (id int PRIMARY KEY, customer int, name text, note text); INSERT INTO t SELECT g, g % 10 + 1, NULL, 'note' FROM generate_series(1, 100) g;`

const byCustomer = "table: t\nfrom: {c: customers}\njoin: c.id = customer\nset: {name: c.name}\n"

// TestRowsThatFindNone are left alone, or written with NULL, as the definition says; then a join that finds none is no
// reason to write a row again that holds NULL.
func TestRowsThatFindNone(t *testing.T) {
	t.Parallel()
	for rest, want := range map[string]string{"": "11 old", "unmatched: leave\n": "11 old", "unmatched: set\n": "11 NULL", "unmatched: set\nwhere: t.id <> 10\n": "10 old"} {
		t.Run(rest, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, customers+"ALTER TABLE customers ADD PRIMARY KEY (id); UPDATE t SET customer = 99, name = 'old' WHERE customer = 1; UPDATE t SET customer = 99 WHERE id = 1; ANALYZE", byCustomer+rest)
				b.forward(t, 30)
				got := text(t, b.beside, `SELECT count(*) || ' ' || coalesce(max(name), 'NULL') FROM t WHERE customer = 99 AND (id > 1 OR name IS NULL)`)
				if strings.Contains(rest, "where") {
					got = text(t, b.beside, "SELECT id || ' ' || name FROM t WHERE name = 'old'")
				}
				if affected := b.number(t, "SELECT affected FROM backfill.ledger"); got != want || affected != map[bool]int64{true: 89, false: 99}[strings.HasSuffix(want, "11 old")] && !strings.Contains(rest, "where") {
					t.Fatalf("got %s, want %s; %d written", got, want, affected)
				}
			})
		})
	}
}

// TestARowThatBelongsToSeveralFails: none of them is taken, also where one of them would change nothing. One that `where` or the
// join leaves out does not count.
func TestARowThatBelongsToSeveralFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ddl, rest string
		fails     bool
	}{
		"two":                      {"INSERT INTO customers VALUES (4, 'another');", "", true},
		"without undo":             {"INSERT INTO customers VALUES (4, 'another');", "undo: off\n", true},
		"two that say the same":    {"INSERT INTO customers VALUES (4, 'c4');", "", true},
		"the row holds one":        {"INSERT INTO customers VALUES (4, 'another'); UPDATE t SET name = 'another' WHERE id = 3;", "", true},
		"the row holds the other":  {"INSERT INTO customers VALUES (4, 'another'); UPDATE t SET name = 'c4' WHERE id = 3;", "", true},
		"a volatile expression":    {"INSERT INTO customers VALUES (4, 'another');", "set: {name: c.name || random()}\n", true},
		"where tells them apart":   {"INSERT INTO customers VALUES (4, 'another');", "where: c.name <> 'another'\n", false},
		"a row that is out of it":  {"INSERT INTO customers VALUES (4, 'another');", "where: t.customer <> 4\n", false},
		"a join of several tables": {"CREATE TABLE more (id int, n int); INSERT INTO more VALUES (4, 1), (4, 2), (5, 1);", "from: {c: customers, m: more}\njoin: c.id = customer AND m.id = c.id\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, customers+c.ddl+"ANALYZE", overridden(byCustomer, c.rest))
				claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
				must(t, err)
				forward := &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}
				for i, done := 1, false; !done; i++ { // row 3 belongs to customer 4, alone in its batch
					outcome, err := forward.Step(t.Context(), b.conn, &claim, 1)
					if c.fails && i == 3 {
						if !postgres.Raised(err, "21000") || !failure.Is(err, failure.Data) || !strings.Contains(err.Error(), `1 row within "id" > 2 AND "id" <= 3`) {
							t.Fatal(err)
						}
						if n := b.number(t, "SELECT count(*) FROM backfill.undo WHERE seq > 1"); n > 1 {
							t.Fatalf("%d batches kept undo", n)
						}
						return
					}
					must(t, err)
					done = outcome.Done
				}
				if wrong := b.number(t, "SELECT count(*) FROM t WHERE name IS DISTINCT FROM 'c' || customer AND customer <> 4"); c.fails || wrong != 0 {
					t.Fatalf("%d rows are wrong", wrong)
				}
			})
		})
	}
}

// overridden replaces the lines of a definition that others stand for.
func overridden(source, lines string) string {
	for line := range strings.Lines(lines) {
		key, _, _ := strings.Cut(line, ":")
		kept := ""
		for old := range strings.Lines(source) {
			if !strings.HasPrefix(old, key+":") {
				kept += old
			}
		}
		source = kept + line
	}
	return source
}

// TestAUserWhoWritesWhileAJoinWaits: the batch waits for the user's lock on the third row. What it had read of the joined table by then
// is older than what the user has written, so it is read again.
func TestAUserWhoWritesWhileAJoinWaits(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]struct{ sql, after, restored string }{
		"renames the customer everywhere": {"UPDATE customers SET name = 'new' WHERE id = 4; UPDATE t SET name = 'new' WHERE customer = 4", "(3,4,new,note)", "(3,4,new,note)"},
		"gives it to another customer":    {"UPDATE t SET customer = 7 WHERE id = 3", "(3,7,c7,note)", "(3,7,,note)"},
		"writes the column":               {"UPDATE t SET name = 'mine' WHERE id = 3", "(3,4,c4,note)", "(3,4,mine,note)"},
		"changes another column":          {"UPDATE t SET note = 'mine' WHERE id = 3", "(3,4,c4,mine)", "(3,4,,mine)"},
		"deletes the customer":            {"DELETE FROM customers WHERE id = 4; UPDATE t SET name = 'gone' WHERE id = 3", "(3,4,gone,note)", "(3,4,gone,note)"},
		"deletes the row":                 {"DELETE FROM t WHERE id = 3", "(4,5,c5,note)", "(4,5,,note)"},
	} {
		for partitioned, ddl := range map[string]string{"": customers, ", partitioned": strings.Replace(customers, "note text);", `note text) PARTITION BY RANGE (id);
			CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (5); CREATE TABLE t_2 PARTITION OF t DEFAULT;`, 1)} {
			t.Run(name+partitioned, func(t *testing.T) {
				t.Parallel()
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					b := reversible(t, db, ddl+"ALTER TABLE customers ADD PRIMARY KEY (id); ANALYZE", byCustomer)
					tx, err := b.beside.Begin(t.Context())
					must(t, err)
					_, err = tx.Exec(t.Context(), user.sql)
					must(t, err)
					committed := make(chan error, 1)
					go func() {
						pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity "+
							"WHERE datname = current_database() AND wait_event_type = 'Lock')")
						committed <- tx.Commit(t.Context())
					}()
					b.forwardPatiently(t)
					must(t, <-committed) // the user's connection is free again
					b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
					if image := b.image(t); image[2] != user.after {
						t.Fatalf("after the run: %s, want %s", image[2], user.after)
					}
					b.back(t, 100)
					if image := b.image(t); image[2] != user.restored {
						t.Fatalf("after the rollback: %s, want %s", image[2], user.restored)
					}
				})
			})
		}
	}
}

// TestUsersWhoKeepBothTables: each of their transactions renames a customer, and all its rows. Whatever runs write meanwhile,
// in the end each row has the name of its customer.
func TestUsersWhoKeepBothTables(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, customers+"ALTER TABLE customers ADD PRIMARY KEY (id); CREATE INDEX ON t (customer); ANALYZE", byCustomer+"where: t.name IS DISTINCT FROM c.name\nundo: off\n")
		ctx, stop := context.WithCancel(t.Context())
		var users errgroup.Group
		for u := range 3 {
			conn := db.Connect(t)
			users.Go(func() error {
				random := rand.New(rand.NewPCG(1, uint64(u)))
				for n := 0; ctx.Err() == nil; n++ {
					c := random.IntN(3) + 1 + 3*u // customers of its own: no deadlocks among users
					first, second := fmt.Sprintf("UPDATE customers SET name = 'u%d-%d' WHERE id = %d", u, n, c), fmt.Sprintf("UPDATE t SET name = 'u%d-%d' WHERE customer = %d", u, n, c)
					if random.IntN(2) == 0 {
						first, second = second, first
					}
					if _, err := conn.Exec(context.Background(), "BEGIN; "+first+"; SELECT pg_sleep(0.001); "+second+"; COMMIT"); err != nil {
						return err
					}
				}
				return nil
			})
		}
		end := time.Now().Add(3 * time.Second)
		for n := 0; time.Now().Before(end); n++ {
			claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
			must(t, err)
			forward := &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}
			for done := false; !done; {
				outcome, err := forward.Step(t.Context(), b.conn, &claim, 40)
				if err != nil && !failure.Is(err, failure.Transient) {
					t.Fatal(err)
				}
				done = outcome.Done
			}
			b.exec(t, "DELETE FROM backfill.ledger")
			b.exec(t, "UPDATE t SET name = 'spoilt' WHERE customer = 10")
		}
		stop()
		must(t, users.Wait())
		if wrong := b.number(t, "SELECT count(*) FROM t JOIN customers c ON c.id = t.customer WHERE t.customer < 10 AND t.name <> c.name AND t.name IS NOT NULL"); wrong != 0 {
			t.Fatalf("%d rows have an older name than their customer", wrong)
		}
	})
}

// TestARowThatIsNeverAtRest is written all the same: when users have changed it once between being found and being written, it is locked
// before it is found again.
func TestARowThatIsNeverAtRest(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, customers+"ALTER TABLE customers ADD PRIMARY KEY (id); ANALYZE", byCustomer+"undo: off\n")
		ctx, stop := context.WithCancel(t.Context())
		var users errgroup.Group
		for range 4 {
			conn := db.Connect(t)
			users.Go(func() error {
				for ctx.Err() == nil {
					if _, err := conn.Exec(context.Background(), "UPDATE t SET note = note || '.' WHERE id = 3"); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for range 20 {
			b.forwardPatiently(t)
			if b.number(t, "SELECT count(*) FROM t WHERE name IS NULL") != 0 {
				t.Fatal("a row was left out")
			}
			b.exec(t, "UPDATE t SET name = NULL; DELETE FROM backfill.ledger")
		}
		stop()
		must(t, users.Wait())
	})
}

// TestARowThatBelongsToSeveralFailsWhereItWasLocked as well: a second row may have come between both tries of a batch.
func TestARowThatBelongsToSeveralFailsWhereItWasLocked(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, customers+"INSERT INTO customers VALUES (4, 'another'); ANALYZE", byCustomer+"undo: off\n")
		claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
		must(t, err)
		for id, code := range map[string]string{"3": "21000", "4": ""} {
			update := statement.One(b.change, []string{id}, statement.Locked)
			sql, args := claim.Count(update.SQL, update.Args, ledger.Parts{Pairs: true})
			_, err = b.conn.Exec(t.Context(), sql, args...)
			if err := postgres.Classify(err); code == "" && err != nil || code != "" && !postgres.Raised(err, code) {
				t.Errorf("row %s: got %v, want SQLSTATE %q", id, err, code)
			}
		}
	})
}
