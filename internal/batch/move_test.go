package batch_test

import (
	"context"
	"errors"
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
	"golang.org/x/sync/errgroup"
)

// TestAMoveAndItsRollbackAreTheIdentity of both tables.
func TestAMoveAndItsRollbackAreTheIdentity(t *testing.T) {
	t.Parallel()
	cases := copies
	every, _ := everyType(false)
	for name, c := range cases {
		if name == "numbers of its own" || name == "a uuid by default" {
			continue // nobody would know which row became which
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, c.source+"; CREATE SCHEMA archive; "+c.target+"; CREATE TABLE was AS TABLE t; ANALYZE", into(c.target, c.copy+"  move: true\n"))
				before := b.image(t)
				b.forward(t, 70)
				if left := b.number(t, "SELECT count(*) FROM t WHERE n % 5 = 0"); left != 60 || b.number(t, "SELECT count(*) FROM t") != 60 || b.number(t, "SELECT affected FROM backfill.ledger") != 240 {
					t.Fatalf("%d rows are left", left)
				}
				if n := b.number(t, strings.ReplaceAll(c.wrong, "JOIN t", "JOIN was t")); n != 0 {
					t.Fatalf("%d rows are wrong", n)
				}
				b.back(t, 33)
				expectMovedBack(t, b, before, 240)
			})
		})
	}
	t.Run("every type", func(t *testing.T) {
		t.Parallel()
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			b := reversible(t, db, types+every+"; CREATE TABLE old (n int, id bigint PRIMARY KEY); ANALYZE", "table: t\ncopy: {into: old, move: true}\n")
			before := b.image(t)
			b.forward(t, 50)
			if b.number(t, "SELECT count(*) FROM t") != 0 || b.number(t, "SELECT count(*) FROM old WHERE n = id") != 121 {
				t.Fatal("the rows are not moved")
			}
			b.back(t, 33)
			expectMovedBack(t, b, before, 121)
		})
	})
}

func expectMovedBack(t *testing.T, b *reversal, before []string, rows int64) {
	t.Helper()
	if diff := cmp.Diff(before, b.image(t)); diff != "" {
		t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
	}
	written := pgx.Identifier{b.change.Copy.Into.Schema, b.change.Copy.Into.Name}.Sanitize()
	if n := b.number(t, "SELECT count(*) FROM "+written); n != 0 || b.number(t, "SELECT restored FROM backfill.ledger") != rows || b.number(t, "SELECT count(*) FROM backfill.undo") != 0 {
		t.Fatalf("%d rows are left", n)
	}
}

// moved is a table of which rows are moved to one that is empty.
const moved = numbered + `; CREATE TABLE old (id int PRIMARY KEY, n int, note text, mine text); ANALYZE old`

// backPatiently goes back in batches that are halved down to the row where they fail, which is then left alone.
func (b *reversal) backPatiently(t *testing.T) {
	t.Helper()
	_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
	must(t, err)
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	back := &batch.Back{Change: b.change, Timeout: time.Minute}
	for size, done := int64(25), false; !done; {
		outcome, err := back.Step(t.Context(), b.conn, &claim, size)
		var failed *batch.Failed
		switch {
		case errors.As(err, &failed) && failed.Keys == 1 && failed.Displaced():
			row, _ := failed.Row()
			must(t, back.Pass(t.Context(), b.conn, &claim, row))
		case errors.As(err, &failed) && failed.Keys > 1:
			size = 1
		default:
			must(t, err)
		}
		done = outcome.Done
	}
}

// TestARowIsMovedBackOrStays: where a user has changed it in the target, has taken its place at the source, or a trigger keeps it out there, it
// stays in the target as it is, and is named with all that it was.
func TestARowIsMovedBackOrStays(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, moved+"; CREATE TABLE parents AS SELECT g AS n FROM generate_series(1, 100) g; ALTER TABLE parents ADD PRIMARY KEY (n); ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES parents",
			"table: t\ncopy:\n  into: old\n  columns: {id: id, note: n::text}\n  move: true\n")
		before := b.image(t)
		b.forward(t, 40)
		b.exec(t, `UPDATE old SET mine = 'x' WHERE id = 3; DELETE FROM old WHERE id = 4; INSERT INTO t VALUES (5, NULL, 'mine'); DELETE FROM parents WHERE n = 6;
			CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.id <> 7 THEN NEW END; END';
			CREATE TRIGGER keep BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION keep()`)
		b.backPatiently(t)
		want := append(append(append([]string{}, before[:2]...), "(5,,mine)"), before[7:]...)
		if diff := cmp.Diff(want, b.image(t)); diff != "" {
			t.Fatalf("after the rollback (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"(3,,3,x)", "(5,,5,)", "(6,,6,)", "(7,,7,)"}, b.images(t, "old")); diff != "" {
			t.Fatalf("in the target (-want +got):\n%s", diff)
		}
		const named = `SELECT count(*) FROM backfill.conflicts WHERE found_at IS NOT NULL AND was = ARRAY[key[1], key[1], 'note ' || key[1]] AND
			(key[1], holds IS NULL, coalesce(holds[1], ''), substring(why FROM 'SQLSTATE (.....)')) IN (('5', false, '5', '23505'), ('6', false, '6', '23503'), ('7', false, '7', '23001'))`
		const gone = `SELECT count(*) FROM backfill.conflicts WHERE found_at IS NOT NULL AND was = ARRAY[key[1], key[1], 'note ' || key[1]] AND why = '' AND (key[1], holds IS NULL) IN (('3', false), ('4', true))`
		if n := b.number(t, named); n != 3 || b.number(t, gone) != 2 || b.number(t, "SELECT conflicts FROM backfill.ledger") != 5 || b.number(t, "SELECT restored FROM backfill.ledger") != 95 {
			t.Fatalf("%d conflicts are named", n)
		}
	})
}

// TestNoRowIsLostOnItsWay: one that a trigger keeps out of the target, or gives another key there, stays where it is, as does all of its batch.
func TestNoRowIsLostOnItsWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ ddl, rest, sqlstate string }{
		"kept out":           {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.id <> 7 THEN NEW END; END'; CREATE TRIGGER f BEFORE INSERT ON old FOR EACH ROW EXECUTE FUNCTION f()", "", "23001"},
		"that, without undo": {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.id <> 7 THEN NEW END; END'; CREATE TRIGGER f BEFORE INSERT ON old FOR EACH ROW EXECUTE FUNCTION f()", "undo: off\n", "23001"},
		"another key":        {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 7 THEN NEW.id := 1007; END IF; RETURN NEW; END'; CREATE TRIGGER f BEFORE INSERT ON old FOR EACH ROW EXECUTE FUNCTION f()", "", "23001"},
		"its place is taken": {"INSERT INTO old VALUES (7)", "", "23505"},
		"it is referred to":  {"CREATE TABLE child (t int REFERENCES t); INSERT INTO child VALUES (7)", "", "23503"},
		"a column is added":  {"", "", "BF006"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, moved+"; "+c.ddl, "table: t\n"+c.rest+"copy: {into: old, move: true}\n")
				if c.sqlstate == "BF006" {
					b.exec(t, "ALTER TABLE t ADD more text DEFAULT 'more'")
				}
				before, there := b.image(t), b.images(t, "old")
				claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
				must(t, err)
				_, err = (&batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}).Step(t.Context(), b.conn, &claim, 40)
				if !postgres.Raised(err, c.sqlstate) || c.sqlstate[0] == '2' && !failure.Is(err, failure.Data) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(append(before, there...), append(b.image(t), b.images(t, "old")...)); diff != "" {
					t.Fatalf("something was written (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// TestAMoveOverRowsThatAreThere: without undo they get the values.
func TestAMoveOverRowsThatAreThere(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, filled, "table: t\nundo: off\ncopy: {into: old, move: true, on_conflict: update}\nwhere: n <> 9\n")
		b.forward(t, 40)
		if n := b.number(t, "SELECT count(*) FROM old WHERE n = id AND note = 'note ' || id AND (mine IS NULL OR id IN (7, 8))"); n != 99 ||
			b.number(t, "SELECT count(*) FROM t") != 1 || b.number(t, "SELECT count(*) FROM old") != 99 || b.number(t, "SELECT count(*) FROM backfill.undo") != 0 {
			t.Fatalf("%d rows are moved", n)
		}
	})
}

// TestAUserWhoWritesWhileAMoveWaits: the row is moved as it is then.
func TestAUserWhoWritesWhileAMoveWaits(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]struct{ sql, moved, left, restored string }{
		"takes it out of scope": {"UPDATE t SET n = -3 WHERE id = 3", "", `(3,-3,"note 3")`, `(3,-3,"note 3")`},
		"changes the row":       {"UPDATE t SET note = 'mine' WHERE id = 3", "(3,3,mine,)", "", "(3,3,mine)"},
		"deletes it":            {"DELETE FROM t WHERE id = 3", "", "", `(4,4,"note 4")`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, moved, "table: t\ncopy: {into: old, move: true}\nwhere: n > 0\n")
				tx, err := b.beside.Begin(t.Context())
				must(t, err)
				_, err = tx.Exec(t.Context(), user.sql)
				must(t, err)
				committed := make(chan error, 1)
				go func() {
					defer close(committed) // also where nobody ever waits
					pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity "+
						"WHERE datname = current_database() AND wait_event_type = 'Lock')")
					committed <- tx.Commit(t.Context())
				}()
				b.forwardPatiently(t)
				must(t, <-committed)
				b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
				if got, left := strings.Join(b.images(t, "(SELECT * FROM old WHERE id = 3)"), ""), strings.Join(b.image(t), ""); got != user.moved || left != user.left {
					t.Fatalf("after the run: %s and %s, want %s and %s", got, left, user.moved, user.left)
				}
				b.back(t, 100)
				if image := b.image(t); image[2] != user.restored || b.number(t, "SELECT count(*) FROM old") != 0 {
					t.Fatalf("after the rollback: %s, want %s", image[2], user.restored)
				}
			})
		})
	}
}

// writer changes the notes of rows that are its own, wherever a row is: where it was, or where it was moved to.
type writer struct {
	conn  *pgx.Conn
	first int
	notes map[int]string // what each row holds
}

// most is the last row that users write.
const most = 50

// write goes over its rows until it is told to stop. A row that is in neither table for several looks in a row is lost.
func (w *writer) write(stop <-chan struct{}) error {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		id, note := w.first+3*(i%(most/3)), fmt.Sprintf("%d of %d", i, w.first)
		found := false
		for look := 0; look < 20 && !found; look++ {
			tag, err := w.conn.Exec(context.Background(), "UPDATE "+[]string{"t", "old"}[look%2]+" SET note = $1 WHERE id = $2", note, id)
			if err != nil {
				return err
			}
			found = tag.RowsAffected() == 1
		}
		if !found {
			return fmt.Errorf("row %d is in neither table", id)
		}
		w.notes[id] = note
	}
}

// TestUsersLoseNothingByAMove, nor by its rollback: they find each row in one of both tables, and what they wrote last is what it holds.
func TestUsersLoseNothingByAMove(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, numbered+"; CREATE TABLE old (id int PRIMARY KEY, n int, note text); ANALYZE old", "table: t\ncopy: {into: old, move: true}\n")
		writers := make([]*writer, 3)
		for i := range writers {
			writers[i] = &writer{conn: db.Connect(t), first: i + 1, notes: map[int]string{}}
		}
		b.besideWriters(t, writers, &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}})
		if left, moved := b.number(t, "SELECT count(*) FROM t"), b.number(t, "SELECT count(*) FROM old"); left != 0 || moved != 100 {
			t.Fatalf("%d rows are left, %d moved", left, moved)
		}
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
		must(t, err)
		b.besideWriters(t, writers, &batch.Back{Change: b.change, Timeout: time.Minute})
		back, stayed := b.number(t, "SELECT count(*) FROM t"), b.number(t, "SELECT count(*) FROM old")
		if back < 100-most || stayed == 0 || back+stayed != 100 || b.number(t, "SELECT conflicts FROM backfill.ledger") != stayed || b.number(t, "SELECT restored FROM backfill.ledger") != back {
			t.Fatalf("%d rows are back, %d stayed", back, stayed)
		}
	})
}

// besideWriters goes over the chunk while users write, and demands that no write is lost.
func (b *reversal) besideWriters(t *testing.T, writers []*writer, steps steps) {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	b.chunk.Send++
	var group errgroup.Group
	stop := make(chan struct{})
	for _, w := range writers {
		group.Go(func() error { return w.write(stop) })
	}
	for done := false; !done; {
		outcome, err := steps.Step(t.Context(), b.conn, &claim, 3)
		if err != nil && !failure.Is(err, failure.Transient) {
			t.Fatal(err)
		}
		done = outcome.Done
	}
	close(stop)
	must(t, group.Wait())
	for _, w := range writers {
		for id, note := range w.notes {
			if held := text(t, b.beside, fmt.Sprintf("SELECT string_agg(note, ' and ') FROM (SELECT note FROM t WHERE id = %[1]d UNION ALL SELECT note FROM old WHERE id = %[1]d) r", id)); held != note {
				t.Fatalf("row %d holds %q, its user wrote %q", id, held, note)
			}
		}
	}
}
