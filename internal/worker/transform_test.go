package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

func init() { transform.Register("increment", "1", increment) }

// increment reads what it writes: it shows at once whether a row saw it twice.
func increment(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
	for _, row := range rows {
		n, _ := row.Int("n")
		changes = append(changes, row.Change().Set("n", transform.Int(n+1)))
	}
	return changes, nil
}

func incrementing(sqlType string) *change.Function {
	n := []change.Column{{Name: "n", Type: sqlType, Base: sqlType}}
	return &change.Function{Name: "increment", Version: "1", Key: []change.Column{{Name: "id", Type: "bigint", Base: "bigint"}}, Reads: n, Writes: n}
}

// incremented is the change of counters by a Go function.
var incremented = change.Change{
	Kind: change.Transform, Table: counters.Table, Key: counters.Key, Undo: true, ChunkRows: rows, Function: incrementing("integer"),
}

var functions atomic.Int64

// given is a run of a function of the test's own, which gets the note as well.
func given(t *testing.T, c change.Change, do transform.Do) change.Change {
	t.Helper()
	f := *incrementing("integer")
	f.Name = fmt.Sprintf("function-%d", functions.Add(1))
	f.Reads = append([]change.Column{{Name: "note", Type: "text", Base: "text"}}, f.Reads...)
	if transform.Register(f.Name, "1", do); c.ChunkRows == 0 {
		c.ChunkRows = rows
	}
	c.Kind, c.Set, c.Function = change.Transform, nil, &f
	return c
}

// eachTransform is eachWay, with undo.
func eachTransform(t *testing.T, test func(t *testing.T, db pgtest.Database, c change.Change)) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		c.Undo = true
		test(t, db, c)
	})
}

// picky refuses rows whose note says so, and gives what the table does not allow for others.
func picky(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
	for _, row := range rows {
		n, _ := row.Int("n")
		note, _ := row.Text("note")
		kind, secret, _ := strings.Cut(note, " ")
		switch kind {
		case "refuse":
			changes = append(changes, row.Refuse(errors.New("no "+secret)))
		case "null":
			changes = append(changes, row.Change().Set("n", transform.Null()))
		case "over":
			changes = append(changes, row.Change().Set("n", transform.Int(n+2147483647)))
		case "cast":
			changes = append(changes, row.Change().Set("n", transform.Text(note)))
		default:
			changes = append(changes, row.Change().Set("n", transform.Int(n+1)))
		}
	}
	return changes, nil
}

// poisonedRows are 40 rows of four kinds, in pairs; the first row of the table and the last are among them.
func poisonedRows(b *bundle, t *testing.T) {
	t.Helper()
	b.exec(t, "UPDATE counters SET note = (ARRAY['refuse', 'null', 'over', 'cast'])[1 + (id / 200) % 4] || ' secret-' || id WHERE id % 200 IN (0, 1)")
}

// refusals is what is expected of each kind.
var refusals = map[string]string{"refuse": "BFT01", "null": "23502", "over": "22003", "cast": "22P02"}

// TestRowsThatAFunctionOrTheTableRefusesAreRejected within the budget, each with its own error, in calls that are few; every other row is written once.
// Once they are mended a retry writes them, and a rollback gives all back.
func TestRowsThatAFunctionOrTheTableRefusesAreRejected(t *testing.T) {
	eachTransform(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		var seen atomic.Int64
		c = given(t, c, func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
			seen.Add(int64(len(rows)))
			return picky(ctx, rows)
		})
		c.ErrorBudget = 40
		b := setup(t, db, c)
		poisonedRows(b, t)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		b.expectPasses(t, c.ChunkRows == striped)
		var wrong, rejected, affected, scanned int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE n <> id + CASE WHEN note LIKE '% %' THEN 0 ELSE 1 END) FROM counters").Scan(&wrong))
		must(t, b.conn.QueryRow(t.Context(), "SELECT rejected, affected, scanned FROM backfill.ledger").Scan(&rejected, &affected, &scanned))
		if wrong != 0 || rejected != 40 || affected != rows-40 || scanned != rows {
			t.Fatalf("%d rows are wrong; %d rejected, %d written, %d scanned", wrong, rejected, affected, scanned)
		}
		if seen.Load() > rows+rows/2 {
			t.Errorf("%d rows were given to the function", seen.Load())
		}
		for kind, sqlstate := range refusals {
			var named int64
			must(t, b.conn.QueryRow(t.Context(), `SELECT count(*) FROM backfill.rejects JOIN counters c ON key = ARRAY[c.id::text]
				WHERE note LIKE $1 || ' %' AND sqlstate = $2 AND ($1 <> 'refuse' OR message = 'no ' || split_part(note, ' ', 2))`, kind, sqlstate).Scan(&named))
			if named != 10 {
				t.Errorf("%d rows of kind %s have their error", named, kind)
			}
		}
		b.exec(t, "UPDATE counters SET note = 'mended-' || id WHERE note LIKE '% %' AND note NOT LIKE 'refuse %'")
		b.retry(t, db.URL, "arn:2")
		must(t, b.conn.QueryRow(t.Context(), "SELECT rejected, affected FROM backfill.ledger").Scan(&rejected, &affected))
		if rejected != 10 || affected != rows-10 {
			t.Fatalf("after a retry %d rows are rejected, %d written", rejected, affected)
		}
		b.exec(t, "UPDATE counters SET note = 'mended-' || id WHERE note LIKE '% %'")
		b.retry(t, db.URL, "arn:3")
		b.expectOnce(t)
		b.exec(t, "UPDATE counters SET note = id::text")
		b.reverse(t)
		for _, message := range b.due(t) {
			must(t, b.worker(t, db.URL).Work(t.Context(), message))
		}
		b.expectAsBefore(t)
	})
}

// TestATransformKeepsToTheRate: what is computed ahead is not more than what was reserved.
func TestATransformKeepsToTheRate(t *testing.T) {
	db := pgtest.Newest(t)
	b := setup(t, db, incremented)
	rate := int64(2000)
	_, err := b.ledger.Tune(t.Context(), theRun, ledger.Tuning{Rate: &rate})
	must(t, err)
	begun := time.Now()
	must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectOnce(t)
	if took := time.Since(begun); took < 600*time.Millisecond {
		t.Fatalf("%d rows took %s", rows, took)
	}
}
