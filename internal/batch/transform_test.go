package batch_test

import (
	"context"
	"fmt"
	"strings"
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

// transformed makes the batches; passes above 1: in passes. They have a second connection for reads, as a worker's have.
func (b *reversal) transformed(passes int) *batch.Transformed {
	function, _ := transform.Find(b.change.Function.Name)
	made := &batch.Transformed{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}, Function: function,
		Form: transform.NewForm(*b.change.Function), Source: &batch.InOrder{}, Reads: b.reads}
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
