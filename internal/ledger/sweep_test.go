package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/report"
	"backfill/internal/run"
)

func tellNobody(context.Context, string, time.Time) error { return nil }

const kept = "SELECT (SELECT count(*) FROM backfill.undo) + (SELECT count(*) FROM backfill.conflicts) + (SELECT count(*) FROM backfill.rejects) + (SELECT count(*) FROM backfill.course) + (SELECT sum(undo_bytes) FROM backfill.ledger)::bigint"

// keeping is a run that has just ended, with two rows of undo, 70 bytes as noted, a conflict, a reject, and a point of its course.
func keeping(t *testing.T) *bundle {
	t.Helper()
	b := setup(t, pgtest.Newest(t))
	undone(t, b)
	b.exec(t, "UPDATE backfill.ledger SET undo_bytes = 70 WHERE chunk = 1")
	b.exec(t, "INSERT INTO backfill.conflicts (run, chunk, key) VALUES ($1, 3, '{7}')", theRun)
	b.exec(t, "INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) VALUES ($1, 3, '{7}', '23514', 'no')", theRun)
	must(t, b.ledger.Mark(t.Context(), theRun, report.Point{State: run.Completed}))
	return b
}

// TestASweepTellsOfARunBeforeItRemoves what the run keeps: one that dies in between is told again.
func TestASweepTellsOfARunBeforeItRemoves(t *testing.T) {
	t.Parallel()
	b := keeping(t)
	var told []string
	answer := errors.New("nobody listens")
	sweep := func(keep time.Duration) error {
		told = nil
		_, err := b.ledger.Sweep(t.Context(), keep, func(_ context.Context, id string, _ time.Time) error {
			told = append(told, id)
			if n := b.number(t, kept); n != 75 {
				t.Errorf("%d are kept when it is told", n)
			}
			return answer
		})
		return err
	}
	if must(t, sweep(24*time.Hour)); told != nil {
		t.Fatalf("a run that has just ended was swept: %v", told)
	}
	if err := sweep(0); !errors.Is(err, answer) || b.number(t, kept) != 75 {
		t.Fatalf("%v, %d are kept", err, b.number(t, kept))
	}
	answer = nil
	must(t, sweep(0))
	if b.number(t, kept) != 0 || !slices.Equal(told, []string{theRun}) {
		t.Fatalf("told of %v, %d are kept", told, b.number(t, kept))
	}
	if must(t, sweep(0)); told != nil {
		t.Fatalf("nothing was left, yet told of %v", told)
	}
}

// hurried is a context whose end is near, and never comes.
type hurried struct{ context.Context }

func (hurried) Deadline() (time.Time, bool) { return time.Now().Add(5 * time.Second), true }

// TestASweepWithoutTimeSaysThatMoreIsLeft, and the next one goes on. What a run that is brought back keeps meanwhile stays.
func TestASweepWithoutTimeSaysThatMoreIsLeft(t *testing.T) {
	t.Parallel()
	b := keeping(t)
	b.end(t, run.Failed)
	swept, err := b.ledger.Sweep(hurried{t.Context()}, 0, tellNobody)
	must(t, err)
	if swept.Runs != 1 || !swept.More || b.number(t, kept) == 0 {
		t.Fatalf("%+v, %d are kept", swept, b.number(t, kept))
	}
	left := b.number(t, kept)
	_, err = b.ledger.Revive(t.Context(), theRun, "arn:2")
	must(t, err)
	if swept, err = b.ledger.Sweep(t.Context(), 0, tellNobody); swept.Runs != 0 || err != nil || b.number(t, kept) != left {
		t.Fatalf("%+v, %v, %d of %d are kept", swept, err, b.number(t, kept), left)
	}
	b.end(t, run.Failed)
	if swept, err = b.ledger.Sweep(t.Context(), 0, tellNobody); swept.More || err != nil || b.number(t, kept) != 0 {
		t.Fatalf("%+v, %v, %d are kept", swept, err, b.number(t, kept))
	}
}

// TestNothingIsSweptWhereNoRunHasBegun: a schedule asks each database of a stack, also one that is not used yet.
func TestNothingIsSweptWhereNoRunHasBegun(t *testing.T) {
	t.Parallel()
	if swept, err := newLedger(t, pgtest.Newest(t)).Sweep(t.Context(), 0, tellNobody); err != nil || swept != (ledger.Swept{}) {
		t.Error(swept, err)
	}
}
