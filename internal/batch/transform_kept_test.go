package batch_test

import (
	"context"
	"fmt"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

const keeping = `; CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN OLD.id % 10 > 0 THEN NEW END; END $$;
	CREATE TRIGGER keep BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION keep();
	CREATE SEQUENCE tried; CREATE FUNCTION tried() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tried'); RETURN NULL; END $$;
	CREATE TRIGGER tried BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION tried()`

// TestATransformPassesOverARowThatATriggerKeeps, as set does: it looks like one that was changed meanwhile, until the rows are locked. That is found out once a
// chunk: of five batches, or sixteen of passes, each but the first takes one statement.
func TestATransformPassesOverARowThatATriggerKeeps(t *testing.T) {
	for _, undo := range []string{"on", "off"} {
		for _, passes := range []int{1, 4} {
			t.Run(fmt.Sprint(undo, passes), func(t *testing.T) {
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					b := computed(t, db, numbered+keeping, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nundo: "+undo+"\n", twice)
					b.compute(t, passes, 20)
					if wrong := b.number(t, "SELECT count(*) FROM t WHERE n <> CASE WHEN id % 10 > 0 THEN 2 * id ELSE id END"); wrong != 0 {
						t.Fatalf("%d rows are wrong", wrong)
					}
					if affected, tried := b.number(t, "SELECT affected FROM backfill.ledger"), b.number(t, "SELECT last_value FROM tried"); affected != 90 || tried > int64(6+(passes-1)*4) {
						t.Errorf("%d rows are written by %d statements", affected, tried)
					}
					if undo == "off" {
						return
					}
					b.exec(t, "ALTER TABLE t DISABLE TRIGGER keep")
					b.back(t, 30)
					if wrong := b.number(t, "SELECT count(*) FROM t WHERE n <> id"); wrong != 0 {
						t.Fatalf("%d rows are not as before", wrong)
					}
				})
			})
		}
	}
}

// TestARowThatWasMovedIsNotTakenForOneThatIsKept: a VACUUM FULL between read and write, where a trigger keeps other rows.
func TestARowThatWasMovedIsNotTakenForOneThatIsKept(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		calls, beside := 0, db.Connect(t)
		b := computed(t, db, numbered+keeping, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nundo: off\n",
			func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
				if calls++; calls == 3 {
					if _, err := beside.PgConn().Exec(ctx, "VACUUM FULL t").ReadAll(); err != nil {
						t.Error(err)
					}
				}
				return twice(ctx, rows)
			})
		b.compute(t, 1, 20)
		if wrong := b.number(t, "SELECT count(*) FROM t WHERE n <> CASE WHEN id % 10 > 0 THEN 2 * id ELSE id END"); wrong != 0 || calls < 3 {
			t.Fatalf("%d rows are wrong, %d calls", wrong, calls)
		}
	})
}
