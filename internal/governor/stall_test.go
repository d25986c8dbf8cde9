package governor_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/turn"

	"github.com/jackc/pgx/v5"
)

// stalls gives the run a limit of an hour, and six chunks that were sent.
func stalls(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.governor.Stall, b.governor.Worker = time.Hour, "stack-worker"
	b.Plan(t, 6)
	return b
}

// pass lets time go by for everything that the ledger knows of the run, but for leases that live and the heartbeat.
func (b *bundle) pass(t *testing.T, d time.Duration) {
	t.Helper()
	b.Exec(t, "UPDATE backfill.runs SET started_at = started_at - $1::interval, resumed_at = resumed_at - $1::interval, opened_at = opened_at - $1::interval", d)
	b.Exec(t, `UPDATE backfill.ledger SET advanced_at = advanced_at - $1::interval, updated_at = updated_at - $1::interval,
		sent_at = sent_at - $1::interval`, d)
}

// says makes a beat, and gives the reason that the run has after it.
func (b *bundle) says(t *testing.T) string {
	t.Helper()
	b.beat(t)
	stored, err := b.Ledger.Run(t.Context(), "run-1")
	must(t, err)
	if stored.State != run.Running {
		t.Fatalf("it is %s: %s", stored.State, stored.Reason)
	}
	return stored.Reason
}

func (b *bundle) expectSaid(t *testing.T, said string, words ...string) {
	t.Helper()
	for _, word := range append(words, "stalled: no row was handled since ", "the run ends as FAILED at ") {
		if !strings.Contains(said, word) {
			t.Errorf("%q is not in %q", word, said)
		}
	}
}

// log is what the log of the run says without the state being changed, and without times.
func (b *bundle) log(t *testing.T) []string {
	t.Helper()
	rows, err := b.Conn.Query(t.Context(), "SELECT detail FROM backfill.changes WHERE state = '' ORDER BY n")
	must(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	for i, line := range found {
		found[i] = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`).ReplaceAllString(line, "TIME")
	}
	return found
}

// TestARunThatStandsStillSaysSo, once, with its likely cause; and takes it back when a row is handled.
func TestARunThatStandsStillSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, b *bundle)
		words  []string
	}{
		"nobody ever claims": {func(*testing.T, *bundle) {},
			[]string{"no worker has claimed a chunk since", "aws lambda list-event-source-mappings --function-name stack-worker", "/aws/lambda/stack-worker"}},
		"nobody claims any more": {func(t *testing.T, b *bundle) { b.Finish(t, 1) },
			[]string{"no worker has claimed a chunk since"}},
		"a worker holds a chunk": {func(t *testing.T, b *bundle) { b.Claim(t, 2, 1) },
			[]string{"1 worker holds a chunk, and no batch", "pg_stat_activity"}},
		"a worker hangs while others wait for the rate": {func(t *testing.T, b *bundle) {
			one := int64(1)
			_, err := b.Ledger.Tune(t.Context(), "run-1", ledger.Tuning{Rate: &one})
			must(t, err)
			b.Claim(t, 2, 1)
			_, err = b.Ledger.Release(t.Context(), b.Claim(t, 3, 1), time.Hour, ledger.NoUse)
			must(t, err)
		}, []string{"1 worker holds a chunk"}},
		"nobody comes for what waited for the rate": {func(t *testing.T, b *bundle) {
			one := int64(1)
			_, err := b.Ledger.Tune(t.Context(), "run-1", ledger.Tuning{Rate: &one})
			must(t, err)
			_, err = b.Ledger.Release(t.Context(), b.Claim(t, 2, 1), time.Hour, ledger.NoRoom)
			must(t, err)
		}, []string{"no worker has claimed a chunk since"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := stalls(t)
			c.before(t, b)
			b.pass(t, ledger.Lost-time.Minute)
			if said := b.says(t); said != "" {
				t.Fatalf("after four minutes: %s", said)
			}
			b.pass(t, time.Minute)
			said := b.says(t)
			b.expectSaid(t, said, c.words...)
			b.pass(t, time.Minute)
			if again := b.says(t); again != said {
				t.Errorf("it says %q, and then %q", said, again)
			}
			b.Finish(t, 6)
			if said := b.says(t); said != "" {
				t.Errorf("it moves, and says %s", said)
			}
			lines := strings.Join(b.log(t), "\n")
			if strings.Count(lines, "stalled: ") != 1 || strings.Count(lines, "no longer stalled") != 1 {
				t.Errorf("the log says %s", lines)
			}
		})
	}
}

// TestWhatWorkersSayIsTheCause, where they come and go.
func TestWhatWorkersSayIsTheCause(t *testing.T) {
	t.Parallel()
	b := stalls(t)
	b.pass(t, ledger.Lost)
	_, err := b.Ledger.Release(t.Context(), b.Claim(t, 2, 1), time.Hour, "backing off: SQLSTATE 55P03 (lock_not_available)")
	must(t, err)
	b.expectSaid(t, b.says(t), "claimed and given back: backing off: SQLSTATE 55P03")
	b = stalls(t)
	b.pass(t, ledger.Lost)
	b.Claim(t, 2, 1)
	b.Die(t)
	b.expectSaid(t, b.says(t), "die with them")
}

// TestARunThatStandsStillForTooLongFails, with the cause, and goes on when it is resumed.
func TestARunThatStandsStillForTooLongFails(t *testing.T) {
	t.Parallel()
	b := stalls(t)
	b.Finish(t, 1)
	b.pass(t, time.Hour-time.Minute)
	b.expectSaid(t, b.says(t))
	b.pass(t, time.Minute)
	b.expect(t, b.beat(t), turn.End, run.Failed, "stalled: no row was handled from ")
	stored, err := b.Ledger.Revive(t.Context(), "run-1", "arn:2")
	must(t, err)
	must(t, b.Records.Reopen(t.Context(), "run-1", stored.Action, stored.State, "arn:2"))
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
}

// TestARollbackThatStandsStillFailsAsWell.
func TestARollbackThatStandsStillFailsAsWell(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.governor.Stall = time.Hour
	b.Plan(t, 12)
	b.Finish(t, all...)
	b.beat(t)
	b.Exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) VALUES ('run-1', 2, 0, 0, 1, '')")
	b.pass(t, time.Hour)
	b.RollBack(t)
	b.expect(t, b.beat(t), turn.Beat, run.RollingBack, "")
	b.pass(t, time.Hour)
	b.expect(t, b.beat(t), turn.End, run.Failed, "stalled: ")
}

// TestWhatIsNoStall: nobody watched, it was let go on just now, it waits for its rate, it plans, or nothing is open.
func TestWhatIsNoStall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]func(t *testing.T, b *bundle){
		"nobody watched": func(t *testing.T, b *bundle) {
			b.Exec(t, "UPDATE backfill.runs SET heartbeat = heartbeat - interval '2 hours'")
		},
		"it was paused": func(t *testing.T, b *bundle) {
			b.pause(t)
			b.expect(t, b.beat(t), turn.Pause, run.Paused, "paused by ann")
			_, err := b.Ledger.Unpause(t.Context(), "run-1", "ann", "")
			must(t, err)
		},
		"workers wait for the rate": func(t *testing.T, b *bundle) {
			one := int64(1)
			_, err := b.Ledger.Tune(t.Context(), "run-1", ledger.Tuning{Rate: &one})
			must(t, err)
			_, err = b.Ledger.Release(t.Context(), b.Claim(t, 2, 1), time.Hour, ledger.NoRoom)
			must(t, err)
		},
		"other runs have the slots": func(t *testing.T, b *bundle) {
			one := int64(1)
			_, err := b.Ledger.Tune(t.Context(), "", ledger.Tuning{Workers: &one})
			must(t, err)
			_, err = b.Ledger.Release(t.Context(), b.Claim(t, 2, 1), time.Hour, "at most 1 worker at a time for all runs of the database")
			must(t, err)
		},
		"everything that is planned is done": func(t *testing.T, b *bundle) {
			b.Finish(t, 1, 2, 3, 4, 5, 6)
			b.pass(t, 2*time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := stalls(t)
			b.pass(t, 2*time.Hour)
			c(t, b)
			if said := b.says(t); said != "" {
				t.Fatal(said)
			}
		})
	}
}

// TestAPauseIsNoStall, however long it is.
func TestAPauseIsNoStall(t *testing.T) {
	t.Parallel()
	b := stalls(t)
	b.pause(t)
	b.pass(t, 24*time.Hour)
	b.expect(t, b.beat(t), turn.Pause, run.Paused, "paused by ann")
}
