package worker_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
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

// TestWhatFailsAChunk names function and row, and no value. What is before the row is written.
func TestWhatFailsAChunk(t *testing.T) {
	t.Parallel()
	alone := func(do func(row transform.Row) (transform.Change, error)) transform.Do {
		return transform.Each(func(_ context.Context, row transform.Row) (transform.Change, error) { return do(row) })
	}
	for name, c := range map[string]struct {
		do     transform.Do
		reason string
	}{
		"a refusal without a budget": {picky, `: 1 row within "id" = 1001: SQLSTATE BFT01: function "F" refused the row`},
		"a panic": {alone(func(row transform.Row) (transform.Change, error) {
			if note, _ := row.Text("note"); note == "refuse secret-1001" {
				panic("about " + note)
			}
			return transform.Change{}, nil
		}), `: 1 row within "id" = 1001: function "F" panicked at transform_test\.go:\d+: a string, whose text may hold values and is not shown`},
		"a panic of Go's": {alone(func(row transform.Row) (transform.Change, error) {
			if id, _ := row.Int("id"); id == 1001 {
				return transform.Change{}, []error{}[id]
			}
			return transform.Change{}, nil
		}), `: 1 row within "id" = 1001: function "F" panicked at transform_test\.go:\d+: runtime error: index out of range \[1001\] with length 0`},
		"a column that is not read": {alone(func(row transform.Row) (transform.Change, error) {
			row.Text("secret")
			return transform.Change{}, nil
		}), `: 1 row within "id" = 1: function "F" panicked at transform_test\.go:\d+: column "secret" is not among those that the definition reads`},
		"another type": {alone(func(row transform.Row) (transform.Change, error) {
			row.Int("note")
			return transform.Change{}, nil
		}), `panicked at transform_test\.go:\d+: column "note" is text and was asked for as Int`},
		"an error of the call": {func(_ context.Context, rows []transform.Row) ([]transform.Change, error) {
			for _, row := range rows {
				if id, _ := row.Int("id"); id == 1001 {
					note, _ := row.Text("note")
					return nil, fmt.Errorf("row: %w", errors.New(note))
				}
			}
			return nil, nil
		}, `: 1 row within "id" = 1001: function "F" gave an error of type \*errors\.errorString, whose text may hold values and is not shown`},
		"two changes of a row": {func(_ context.Context, rows []transform.Row) ([]transform.Change, error) {
			return []transform.Change{rows[0].Refuse(errors.New("x")), rows[0].Change()}, nil
		}, `: function "F" gave two changes for one row`},
		"a change without a value": {func(_ context.Context, rows []transform.Row) ([]transform.Change, error) {
			return []transform.Change{rows[0].Change()}, nil
		}, `: function "F" gave a change without column "n"`},
		"a change of no row": {func(context.Context, []transform.Row) ([]transform.Change, error) { return []transform.Change{{}}, nil },
			`: function "F" gave a change that is of none of its rows`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := given(t, change.Change{Table: counters.Table, Key: counters.Key, Undo: true}, c.do)
			b := setup(t, pgtest.Newest(t), subject)
			b.exec(t, "UPDATE counters SET note = 'refuse secret-' || id WHERE id = 1001")
			must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
			reason := b.expectLedger(t, chunk.Failed)
			want := strings.ReplaceAll(c.reason, `"F"`, `"`+subject.Function.Name+`"`)
			if !regexp.MustCompile(want+"$").MatchString(reason) || strings.Contains(reason, "secret-") {
				t.Errorf("reason: %s\nwant %s", reason, want)
			}
			var position string
			if must(t, b.conn.QueryRow(t.Context(), "SELECT coalesce(position[1], '0') FROM backfill.ledger").Scan(&position)); strings.Contains(c.reason, "1001") && position != "1000" {
				t.Errorf("the position is %s", position)
			}
		})
	}
}

// TestACallThatOutlivesItsDeadline is made again for fewer rows, until they are few enough; where one row alone takes too long the chunk
// fails with it. The lease lives on meanwhile: nobody else claims the chunk.
func TestACallThatOutlivesItsDeadline(t *testing.T) {
	for name, reason := range map[string]string{"many rows": "", "one row": `: 1 row within "id" = 51: function ".*" gave no answer within 1s$`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocked := make(chan struct{})
			defer close(blocked)
			db := pgtest.Newest(t)
			beside := db.Connect(t)
			c := given(t, change.Change{Table: counters.Table, Key: counters.Key}, func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
				if held := false; beside.QueryRow(ctx, "SELECT lease_until > clock_timestamp() + interval '1.5 s' FROM backfill.ledger").Scan(&held) != nil || !held {
					t.Error("the lease was not renewed after a call")
				}
				last, _ := rows[len(rows)-1].Int("id")
				if first, _ := rows[0].Int("id"); reason != "" && first <= 51 && last >= 51 {
					<-blocked // it does not heed its context
				}
				if len(rows) > 100 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return increment(ctx, rows)
			})
			b := setup(t, db, c)
			b.exec(t, "DELETE FROM counters WHERE id > 400") // each call that is too large takes a second
			b.terms.Lease = 3 * time.Second
			must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
			if reason == "" {
				b.expectLedger(t, chunk.Completed)
				b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n = id + 1", 400, "SELECT affected FROM backfill.ledger", 400)
				return
			}
			if got := b.expectLedger(t, chunk.Failed); !regexp.MustCompile(reason).MatchString(got) {
				t.Errorf("reason: %s", got)
			}
		})
	}
}

// TestATransientErrorOfACallIsTriedAgain with growing pauses; one that does not end gives the chunk back.
func TestATransientErrorOfACallIsTriedAgain(t *testing.T) {
	for name, fails := range map[string]int64{"three times": 3, "for ever": 1 << 40} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			c := given(t, change.Change{Table: counters.Table, Key: counters.Key}, func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
				if n := calls.Add(1); n > 2 && n <= 2+fails {
					return nil, transform.Transient(errors.New("busy with secret-7"))
				}
				return increment(ctx, rows)
			})
			b := setup(t, pgtest.Newest(t), c)
			must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
			if fails == 3 {
				b.expectOnce(t)
				return
			}
			reason := b.expectLedger(t, chunk.Pending)
			if !strings.Contains(reason, "backing off: ") || !strings.Contains(reason, "gave an error that it calls transient") || strings.Contains(reason, "secret") {
				t.Errorf("reason: %s", reason)
			}
		})
	}
}

// TestAFunctionOfAnotherVersionWaits: the chunk is given back, with the reason, and nothing is done to the table. A rollback needs no function.
func TestAFunctionOfAnotherVersionWaits(t *testing.T) {
	for name, c := range map[string]struct{ name, version, reason string }{
		"another version": {"increment", "0", `this version of the worker has function "increment" in version 1, and the run began with version 0`},
		"none":            {"decrement", "1", `this version of the worker has no function "decrement"`},
	} {
		t.Run(name, func(t *testing.T) {
			other := incremented
			f := *other.Function
			f.Name, f.Version = c.name, c.version
			other.Function = &f
			b := setup(t, pgtest.Newest(t), other)
			must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
			if reason := b.expectLedger(t, chunk.Pending); !strings.Contains(reason, c.reason) {
				t.Fatalf("reason: %s", reason)
			}
			b.exec(t, fmt.Sprintf(`UPDATE backfill.runs SET change = replace(replace(change::text, '"version":"%s"', '"version":"1"'), '%s', 'increment')::json`, c.version, c.name))
			b.exec(t, "UPDATE backfill.ledger SET not_before = NULL")
			must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(2)))
			b.expectOnce(t)
			b.exec(t, `UPDATE backfill.runs SET change = replace(change::text, 'increment', 'gone')::json`)
			b.reverse(t)
			for _, message := range b.due(t) {
				must(t, b.worker(t, b.db.URL).Work(t.Context(), message))
			}
			b.expectAsBefore(t)
		})
	}
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
