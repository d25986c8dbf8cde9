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
	"backfill/internal/pgtest"
	"backfill/internal/transform"
)

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
		}), `: 1 row within "id" = 1001: function "F" panicked at transform_fails_test\.go:\d+: a string, whose text may hold values and is not shown`},
		"a panic of Go's": {alone(func(row transform.Row) (transform.Change, error) {
			if id, _ := row.Int("id"); id == 1001 {
				return transform.Change{}, []error{}[id]
			}
			return transform.Change{}, nil
		}), `: 1 row within "id" = 1001: function "F" panicked at transform_fails_test\.go:\d+: runtime error: index out of range \[1001\] with length 0`},
		"a column that is not read": {alone(func(row transform.Row) (transform.Change, error) {
			row.Text("secret")
			return transform.Change{}, nil
		}), `: 1 row within "id" = 1: function "F" panicked at transform_fails_test\.go:\d+: column "secret" is not among those that the definition reads`},
		"another type": {alone(func(row transform.Row) (transform.Change, error) {
			row.Int("note")
			return transform.Change{}, nil
		}), `panicked at transform_fails_test\.go:\d+: column "note" is text and was asked for as Int`},
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
