package governor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// window gives the run a window on two days: those that begin in so many days, by UTC.
func (b *bundle) window(t *testing.T, days int) {
	t.Helper()
	name := func(ahead int) string { return time.Now().UTC().AddDate(0, 0, ahead).Weekday().String()[:3] }
	b.Exec(t, "UPDATE backfill.runs SET definition = $1", fmt.Sprintf("name: users\ntable: users\nset: {n: n + 1}\nwindows: {days: [%s, %s]}\n",
		name(days), name(days+1)))
	b.governor = b.another() // which has not read the definition yet
}

// TestARunIsPausedOutsideOfItsWindows until the next one, for which the state machine waits; then it goes on by itself.
func TestARunIsPausedOutsideOfItsWindows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.GiveBack(t, 2, 0)
	b.window(t, 2)
	b.beat(t)
	got := b.beat(t)
	b.expect(t, got, turn.Pause, run.Paused, "outside of its windows; the next one opens at ")
	pause := b.Record(t).Status.Pause
	if pause == nil || pause.For != run.ForWindow || pause.Until == nil {
		t.Fatalf("%+v", pause)
	}
	if left := time.Until(*pause.Until); got.Wait < int64(left/time.Second) || got.Wait > int64(left/time.Second)+3 || !strings.Contains(got.Reason, "UTC") {
		t.Errorf("it waits %d s of %s: %s", got.Wait, left, got.Reason)
	}
	if sent := b.Queue.Take(); len(sent) > 0 {
		t.Errorf("sent while paused: %+v", sent)
	}
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "outside of its windows") // woken too early
	b.window(t, 0)
	b.beat(t)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	if sent := b.Queue.Take(); len(sent) == 0 {
		t.Error("nothing is sent again")
	}
}

// TestAPersonsWordGoesOverAWindow: what a person pauses stays paused when a window opens, and what a person lets go on
// works until the next one.
func TestAPersonsWordGoesOverAWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.window(t, 2)
	b.beat(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "outside of its windows")
	_, err := b.Ledger.Unpause(t.Context(), runtest.ID, "ann", "")
	must(t, err)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	b.Exec(t, "UPDATE backfill.runs SET free_until = clock_timestamp()") // that window has opened, and shut
	b.beat(t)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "outside of its windows")
	b.pause(t)
	b.window(t, 0)
	got := b.beat(t)
	b.expect(t, got, turn.Pause, run.Paused, "paused by ann")
	if got.Wait != turn.Longest {
		t.Errorf("it waits %d s", got.Wait)
	}
}

// TestARollbackKnowsNoWindows, and a run that is done is complete whatever the time.
func TestARollbackKnowsNoWindows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, all...)
	b.window(t, 2)
	b.expect(t, b.beat(t), turn.End, run.Completed, "")
	b.Exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) VALUES ($1, 1, 0, 0, 1, '')", runtest.ID)
	b.RollBack(t)
	b.expect(t, b.beat(t), turn.Beat, run.RollingBack, "")
}
