package ledger_test

import (
	"regexp"
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTheLogHasEveryChange: who, what, and why, in their order; what a person says of one is not told of the next.
func TestTheLogHasEveryChange(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.move(t, run.Planning, run.Running)
		b.pause(t, true)
		b.rests(t, run.Paused)
		_, _, err := b.ledger.Beat(t.Context(), theRun, 10) // changes nothing
		must(t, err)
		b.unpause(t, true)
		must(t, b.ledger.WentBack(t.Context(), theRun, "it had gone back"))
		b.tune(t, theRun, ledger.Tuning{Rate: number(5000), Weight: number(2), By: "bob"})
		b.tune(t, "another", ledger.Tuning{Rate: number(5000), By: "bob"})
		b.tune(t, "", ledger.Tuning{Rate: number(0), By: "eve"})
		_, err = b.ledger.Close(t.Context(), theRun, "", run.Failed, "chunk 3 failed")
		must(t, err)
		_, _, err = b.ledger.Finish(t.Context(), theRun)
		must(t, err)
		want := []run.Change{
			{State: run.Running},
			{State: run.Pausing, By: "ann", Detail: "paused by ann"},
			{State: run.Paused, Detail: "paused by ann"},
			{State: run.Running, By: "ann"},
			{Detail: "it had gone back"},
			{By: "bob", Detail: "at most 5,000 rows/s, weight 2"},
			{By: "eve", Detail: "of the database: no limit of the rate"},
			{State: run.Cancelling, Detail: "chunk 3 failed"},
			{State: run.Failed, Detail: "chunk 3 failed"},
		}
		b.expectChanges(t, want)
		_, err = b.ledger.Revive(t.Context(), theRun, "arn:2")
		must(t, err)
		b.expectChanges(t, append(want, run.Change{State: run.Running}))
	})
}

// TestTheStatusHasTheLastChanges; the table has all of them.
func TestTheStatusHasTheLastChanges(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "INSERT INTO backfill.changes (run, detail) SELECT $1, repeat(n::text, 400) FROM generate_series(1, 30) n", theRun)
	progress := b.look(t)
	if n := len(progress.Changes); n != 20 || len(progress.Changes[19].Detail) != 500 || progress.Changes[0].Detail[:2] != "11" {
		t.Fatalf("%d changes: %v", n, progress.Changes)
	}
}

func (b *bundle) look(t *testing.T) ledger.Progress {
	t.Helper()
	progress, err := b.ledger.Look(t.Context(), theRun)
	must(t, err)
	return progress
}

func (b *bundle) expectChanges(t *testing.T, want []run.Change) {
	t.Helper()
	got := b.look(t).Changes
	for i, change := range got {
		if i > 0 && change.At.Before(got[i-1].At) || change.At.IsZero() {
			t.Errorf("change %d is of %s", i, change.At)
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(run.Change{}, "At")); diff != "" {
		t.Fatal(diff)
	}
}

func (b *bundle) note(t *testing.T, what string, chunks ...int64) {
	t.Helper()
	must(t, b.ledger.Note(t.Context(), theRun, what, chunks))
}

// TestWhatHappensAgainIsOneLine: however many chunks, and however often. After ten quiet minutes it is another one.
func TestWhatHappensAgainIsOneLine(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		const lost = "sent again: lease expired"
		b.note(t, lost, 3)
		b.expectLines(t, "chunk 3 sent again: lease expired")
		b.note(t, lost, 9, 7, 8)
		b.expectLines(t, "chunks 3, 7-9 sent again: lease expired; 4 times, the last at TIME UTC")
		b.note(t, "the records were lost")
		b.note(t, "the records were lost")
		for n := int64(10); n < 10_000; n += 111 {
			var chunks []int64
			for i := range int64(111) {
				chunks = append(chunks, n+i)
			}
			b.note(t, lost, chunks...)
		}
		b.note(t, "sent", 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22)
		b.note(t, "sent", 22)
		b.expectLines(t, "chunks 3, 7-205 and more sent again: lease expired; 9,994 times, the last at TIME UTC",
			"the records were lost; 2 times, the last at TIME UTC",
			"chunks 2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and more sent; 12 times, the last at TIME UTC")
		b.exec(t, "UPDATE backfill.changes SET last_at = last_at - interval '10 minutes'")
		b.note(t, lost, 5)
		if got := b.lines(t); len(got) != 4 || got[3] != "chunk 5 sent again: lease expired" {
			t.Fatalf("%q", got)
		}
		must(t, b.ledger.Note(t.Context(), "another", lost, []int64{1}))
		if n := b.number(t, "SELECT count(*) FROM backfill.changes"); n != 4 {
			t.Errorf("%d lines: of a run that nobody knows as well", n)
		}
	})
}

// lines are what the log says, without the times of day.
func (b *bundle) lines(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, change := range b.look(t).Changes {
		lines = append(lines, times.ReplaceAllString(change.Detail, "TIME UTC"))
	}
	return lines
}

var times = regexp.MustCompile(`(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC`)

func (b *bundle) expectLines(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.lines(t)); diff != "" {
		t.Fatal(diff)
	}
}

// TestASendOfWhatWentWrongIsInTheLog, in the statement that notes it as sent; what workers gave back in order is not.
func TestASendOfWhatWentWrongIsInTheLog(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.claim(t, message(1, "", "100", 1), "dead", ledger.Claimed)
	b.claim(t, message(2, "100", "200", 1), "dead", ledger.Claimed)
	b.expire(t)
	given := b.claim(t, message(3, "200", "300", 1), "tired", ledger.Claimed)
	_, err := b.ledger.Release(t.Context(), given, 0, "deadline")
	must(t, err)
	b.sendDue(t)
	b.expectLines(t, "chunks 1-2 sent again: lease expired")
	b.exec(t, "UPDATE backfill.ledger SET sent_at = sent_at - interval '1 hour' WHERE chunk > 1")
	b.sendDue(t)
	if diff := cmp.Diff([]string{"chunks 1-2 sent again: lease expired; 3 times, the last at TIME UTC",
		"chunk 3 sent again: its message was lost"}, b.lines(t)); diff != "" {
		t.Fatal(diff)
	}
}

// sendDue has a beat note that it sent what is due.
func (b *bundle) sendDue(t *testing.T) {
	t.Helper()
	_, again, err := b.ledger.Beat(t.Context(), theRun, 10)
	must(t, err)
	must(t, b.ledger.Sent(t.Context(), theRun, again))
}

// TestATimeWithoutAHeartbeatIsInTheLog, once. What was sent before counts as lost: workers have consumed it.
func TestATimeWithoutAHeartbeatIsInTheLog(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "UPDATE backfill.runs SET heartbeat = clock_timestamp() - interval '59 minutes'")
	b.beat(t)
	b.expectLines(t)
	b.exec(t, "UPDATE backfill.runs SET heartbeat = clock_timestamp() - interval '61 minutes'")
	if progress := b.beat(t); progress.Now.Sub(progress.ResumedAt) > time.Minute {
		t.Errorf("messages of before %s count as under way", progress.ResumedAt)
	}
	b.beat(t)
	b.expectLines(t, "nobody watched the run from TIME UTC to TIME UTC; workers had stopped by themselves")
	b.exec(t, "UPDATE backfill.runs SET state = 'PAUSED', heartbeat = clock_timestamp() - interval '61 minutes'")
	b.beat(t) // of a window, for instance: nobody was to watch it
	b.exec(t, "UPDATE backfill.runs SET state = 'RUNNING', heartbeat = clock_timestamp() - interval '61 minutes'")
	_, err := b.ledger.Revive(t.Context(), theRun, "arn:2")
	must(t, err)
	if lines := b.lines(t); lines[len(lines)-1] != "its execution was lost: nobody watched the run from TIME UTC to TIME UTC; another one goes on" {
		t.Fatalf("%q", lines)
	}
}

func (b *bundle) beat(t *testing.T) ledger.Progress {
	t.Helper()
	progress, _, err := b.ledger.Beat(t.Context(), theRun, 10)
	must(t, err)
	return progress
}

// TestALeaseThatEndsWithItsRunIsInTheLog.
func TestALeaseThatEndsWithItsRunIsInTheLog(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.claim(t, message(1, "", "100", 1), "dead", ledger.Claimed)
	_, err := b.ledger.Close(t.Context(), theRun, "", run.Cancelled, "enough")
	must(t, err)
	b.expire(t)
	for range 2 {
		_, _, err = b.ledger.Finish(t.Context(), theRun)
		must(t, err)
	}
	b.expectLines(t, "enough", "chunk 1 taken back: lease expired", "enough")
}
