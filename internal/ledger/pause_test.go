package ledger_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"
)

// TestAPauseStopsEveryBatch and every claim; what was at work goes on from where it was.
func TestAPauseStopsEveryBatch(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.move(t, run.Planning, run.Running)
		claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
		must(t, b.advance(claim, ledger.Step{Keys: 50, Reached: []string{"50"}}))
		claim.Seq++
		b.pause(t, true)
		if err := b.advance(claim, ledger.Step{Keys: 50, Reached: []string{"100"}, Done: true}); !postgres.Raised(err, failure.RunNotRunning) {
			t.Fatalf("a batch of a run that is paused: %v", err)
		}
		b.claim(t, message(2, "100", "200", 1), "me", ledger.Closed)
		b.rests(t, run.Pausing)
		if released, err := b.ledger.Release(t.Context(), claim, 0, "run is PAUSING"); err != nil || !released {
			t.Fatal(released, err)
		}
		b.rests(t, run.Paused)
		b.expectDue(t, 10)
		b.unpause(t, true)
		b.expectDue(t, 10, 1)
		again := b.claim(t, message(1, "", "100", 2), "me", ledger.Claimed)
		if again.Seq != 1 || again.Position[0] != "50" {
			t.Fatalf("%+v", again)
		}
		b.finish(t, message(2, "100", "200", 1))
	})
}

// TestAPauseTakesALeaseThatRanOut: its worker is gone, or wakes and finds that the chunk is no longer its own.
func TestAPauseTakesALeaseThatRanOut(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	b.pause(t, true)
	b.rests(t, run.Pausing)
	b.expire(t)
	b.rests(t, run.Paused)
	b.unpause(t, true)
	if err := b.advance(claim, ledger.Step{Keys: 100, Reached: []string{"100"}, Done: true}); !postgres.Raised(err, failure.StaleFence) {
		t.Fatalf("the worker of before: %v", err)
	}
	b.expectDue(t, 10, 1)
}

// TestWhatWasOnItsWayCountsAsLost: a worker has consumed it, or will find that it is spent.
func TestWhatWasOnItsWayCountsAsLost(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	_, err := b.ledger.Release(t.Context(), claim, terms.Lease, "backing off")
	must(t, err)
	must(t, b.ledger.Sent(t.Context(), theRun, []ledger.Again{{Chunk: 1, Send: 2}}))
	b.pause(t, true)
	b.rests(t, run.Paused)
	b.claim(t, message(1, "", "100", 2), "me", ledger.Closed)
	b.unpause(t, true)
	b.expectDue(t, 10, 1)
	progress, err := b.ledger.Look(t.Context(), theRun)
	must(t, err)
	if progress.ResumedAt.IsZero() || !progress.PausedAt.IsZero() || progress.PausedBy != "" {
		t.Fatalf("%+v", progress)
	}
}

// TestOnlyARunThatGoesOnIsPaused, and only one that is paused is let go on, as what it was.
func TestOnlyARunThatGoesOnIsPaused(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	for _, state := range run.States() {
		for action, back := range map[string]run.State{"start": run.Running, "rollback": run.RollingBack, "verify": run.Verifying} {
			b.exec(t, "UPDATE backfill.runs SET state = $1, action = $2", state, action)
			can := state.Moves()
			b.pause(t, can)
			if can {
				b.rests(t, run.Paused)
				b.pause(t, false)
			}
			b.unpause(t, can || state.Pauses())
			if can || state.Pauses() {
				state = back
			}
			if got, err := b.ledger.Run(t.Context(), theRun); err != nil || got.State != state {
				t.Errorf("%s, %s: it is %s, %v", state, action, got.State, err)
			}
		}
	}
}

// TestATaskWaitsForTheEndOfThePause, and for nothing else.
func TestATaskWaitsForTheEndOfThePause(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "UPDATE backfill.runs SET execution = 'arn:1'")
	await := func(token string, want bool) {
		t.Helper()
		waits, err := b.ledger.Await(t.Context(), theRun, "arn:1", token)
		must(t, err)
		if waits != want {
			t.Fatalf("token %s waits: %v", token, waits)
		}
	}
	waiting := func(want string) {
		t.Helper()
		if token, err := b.ledger.Waiting(t.Context(), theRun); err != nil || token != want {
			t.Fatalf("%q waits, %v; want %q", token, err, want)
		}
	}
	await("early", false)
	b.pause(t, true)
	await("while workers finish", false)
	b.rests(t, run.Paused)
	if _, err := b.ledger.Await(t.Context(), theRun, "arn:2", "another's"); !failure.Is(err, failure.Busy) {
		t.Fatal(err)
	}
	await("one", true)
	waiting("one")
	b.unpause(t, true)
	await("late", false)
	waiting("one")
	b.pause(t, true)
	b.rests(t, run.Paused)
	await("two", true)
	must(t, b.ledger.Woken(t.Context(), theRun, "one"))
	waiting("two")
	must(t, b.ledger.Woken(t.Context(), theRun, "two"))
	waiting("")
	if _, err := b.ledger.Await(t.Context(), "nobody", "arn:1", "one"); !errors.Is(err, ledger.ErrNoRun) {
		t.Fatal(err)
	}
}

// TestAPausedRunKeepsItsTable and cannot be rolled back or resumed by another execution.
func TestAPausedRunKeepsItsTable(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.pause(t, true)
	b.rests(t, run.Paused)
	if _, err := b.ledger.Open(t.Context(), describe("run-2", "users")); !failure.Is(err, failure.Busy) {
		t.Errorf("another run on the table: %v", err)
	}
	if _, err := b.ledger.Reverse(t.Context(), theRun, "arn:2", nil); !failure.Is(err, failure.Invalid) {
		t.Errorf("a rollback: %v", err)
	}
	if _, err := b.ledger.Revive(t.Context(), theRun, "arn:2"); !failure.Is(err, failure.Invalid) {
		t.Errorf("a resume by an execution: %v", err)
	}
}

// TestAllRunsOfAStackArePaused in one statement, and let go on again: no other stack's, and none that was paused by its name.
func TestAllRunsOfAStackArePaused(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for id, execution := range map[string]string{"run-2": "arn:mine:2", "run-3": "arn:mine:3", "run-4": "arn:mine:4", "run-5": "arn:mine-too:5"} {
			_, err := b.ledger.Open(t.Context(), describe(id, id))
			must(t, err)
			b.exec(t, "UPDATE backfill.runs SET execution = $2, state = 'RUNNING' WHERE run = $1", id, execution)
		}
		b.exec(t, "UPDATE backfill.runs SET execution = 'arn:mine:1', state = 'ROLLING_BACK', action = 'rollback' WHERE run = $1", theRun)
		b.exec(t, "UPDATE backfill.runs SET state = 'CANCELLED', ended_at = now() WHERE run = 'run-4'")
		_, err := b.ledger.Pause(t.Context(), "run-3", "bob", "paused by bob")
		must(t, err)
		all := func(want ...string) {
			t.Helper()
			paused, err := b.ledger.PauseAll(t.Context(), "arn:mine:", "ann", "paused by ann")
			must(t, err)
			still, err := b.ledger.PausedForAll(t.Context(), "arn:mine:")
			must(t, err)
			if !slices.Equal(paused, want) || !slices.Equal(still, want) {
				t.Fatalf("paused %v, and then %v, want %v", paused, still, want)
			}
		}
		all(theRun, "run-2")
		all(theRun, "run-2") // twice is once
		b.rests(t, run.Paused)
		b.pause(t, true) // by its name: it stays so
		b.pause(t, false)
		all("run-2")
		for id, want := range map[string]bool{"run-2": true, "run-3": false, theRun: false} {
			if was, err := b.ledger.Unpause(t.Context(), id, "ann", run.ForAll); err != nil || was != want {
				t.Errorf("%s goes on: %v, %v", id, was, err)
			}
		}
		b.unpause(t, true)
	})
}

// TestWhoseWordCounts: a window's pause gives way to a person's, that of all to that of a name, and never the other way. One
// for a failure gives way to none.
func TestWhoseWordCounts(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	soon := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	by := map[run.For]func(){
		run.ForRun:     func() { _, err := b.ledger.Pause(t.Context(), theRun, "ann", "run"); must(t, err) },
		run.ForAll:     func() { _, err := b.ledger.PauseAll(t.Context(), "", "ann", "all"); must(t, err) },
		run.ForWindow:  func() { _, err := b.ledger.PauseUntil(t.Context(), theRun, "window", soon); must(t, err) },
		run.ForFailure: func() { _, err := b.ledger.PauseFailed(t.Context(), theRun, "failure"); must(t, err) },
	}
	b.exec(t, "INSERT INTO backfill.ledger (run, chunk, hi, state) VALUES ($1, 1, '{100}', 'FAILED')", theRun)
	for first, wins := range map[run.For]map[run.For]run.For{
		run.ForRun:     {run.ForRun: run.ForRun, run.ForAll: run.ForRun, run.ForWindow: run.ForRun, run.ForFailure: run.ForRun},
		run.ForAll:     {run.ForRun: run.ForRun, run.ForAll: run.ForAll, run.ForWindow: run.ForAll, run.ForFailure: run.ForAll},
		run.ForWindow:  {run.ForRun: run.ForRun, run.ForAll: run.ForAll, run.ForWindow: run.ForWindow, run.ForFailure: run.ForWindow},
		run.ForFailure: {run.ForRun: run.ForFailure, run.ForAll: run.ForFailure, run.ForWindow: run.ForFailure, run.ForFailure: run.ForFailure},
	} {
		for second, want := range wins {
			b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING', free_until = NULL")
			by[first]()
			by[second]()
			progress := b.look(t)
			if progress.PausedFor != want || progress.Reason != string(want) || (progress.Until != nil) != (want == run.ForWindow) {
				t.Errorf("%s, then %s: %s (%s), until %v", first, second, progress.PausedFor, progress.Reason, progress.Until)
			}
			if opened, err := b.ledger.Unpause(t.Context(), theRun, "", run.ForWindow); err != nil || opened != (want == run.ForWindow) {
				t.Errorf("%s, then %s: a window that opens: %v, %v", first, second, opened, err)
			}
		}
	}
	b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING'")
	by[run.ForWindow]()
	b.unpause(t, true)
	if progress := b.look(t); !progress.FreeUntil.Equal(soon) || progress.Until != nil {
		t.Errorf("it is free until %s, %v", progress.FreeUntil, progress.Until)
	}
}

// TestFailedChunksAreTriedAgainByTheRunsNameAlone: neither a window that opens nor the end of a pause of all is a person's
// word about them.
func TestFailedChunksAreTriedAgainByTheRunsNameAlone(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	for meant, due := range map[run.For][]int64{"": {1, 2}, run.ForFailure: {2}, run.ForWindow: {2}, run.ForAll: {2}} {
		b.exec(t, "TRUNCATE backfill.ledger")
		b.exec(t, `INSERT INTO backfill.ledger (run, chunk, hi, state, direction, fence, send, sent, reason) VALUES ($1, 1, '{100}', 'FAILED', 'forward', 2, 3, 4, 'no'),
			($1, 2, '{200}', 'PENDING', 'forward', 1, 1, 1, ''), ($1, 3, '{300}', 'FAILED', 'back', 1, 1, 1, 'no')`, theRun)
		b.exec(t, "UPDATE backfill.runs SET state = 'PAUSED', paused_for = $1", cmp.Or(meant, run.ForFailure))
		was, err := b.ledger.Unpause(t.Context(), theRun, "ann", meant)
		must(t, err)
		if !was {
			t.Fatalf("%q: it was not paused", meant)
		}
		b.expectDue(t, 10, due...)
	}
}

// TestAFailureThatIsNoMorePausesNothing: a person has had the chunk tried again meanwhile.
func TestAFailureThatIsNoMorePausesNothing(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "INSERT INTO backfill.ledger (run, chunk, hi, state) VALUES ($1, 1, '{100}', 'PENDING')", theRun)
	if paused, err := b.ledger.PauseFailed(t.Context(), theRun, "chunk 1 failed"); err != nil || paused {
		t.Fatal(paused, err)
	}
}

// TestThereIsNothingToPauseWhereNoRunHasBegun: the schema is not made yet.
func TestThereIsNothingToPauseWhereNoRunHasBegun(t *testing.T) {
	l := newLedger(t, pgtest.Newest(t))
	if ids, err := l.PauseAll(t.Context(), "arn:", "ann", "paused by ann"); err != nil || len(ids) > 0 {
		t.Fatal(ids, err)
	}
}

func (b *bundle) pause(t *testing.T, want bool) {
	t.Helper()
	paused, err := b.ledger.Pause(t.Context(), theRun, "ann", "paused by ann")
	must(t, err)
	if paused != want {
		t.Fatalf("paused: %v", paused)
	}
}

func (b *bundle) unpause(t *testing.T, want bool) {
	t.Helper()
	was, err := b.ledger.Unpause(t.Context(), theRun, "ann", "")
	must(t, err)
	if was != want {
		t.Fatalf("it was paused: %v", was)
	}
}

// rests has the pause go on, and demands the state that it comes to.
func (b *bundle) rests(t *testing.T, want run.State) {
	t.Helper()
	state, reason, err := b.ledger.Rest(t.Context(), theRun)
	must(t, err)
	if state != want || reason != "paused by ann" {
		t.Fatalf("run is %s (%s), want %s", state, reason, want)
	}
}
