package governor_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/forecast"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// lively is a run in which every state of a chunk is to be met: 1, 2 completed, 3 at a worker for the second time, 4
// given back, 5 at a worker that is gone, 6 to 8 planned and not claimed.
func (b *bundle) lively(t *testing.T) {
	t.Helper()
	b.Plan(t, 8)
	b.Finish(t, 1, 2)
	b.Claim(t, 3, 1)
	b.Claim(t, 5, 1)
	b.Die(t)
	b.Claim(t, 3, 2)
	b.GiveBack(t, 4, time.Hour)
}

func TestABeatReportsWhatTheLedgerHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.Record(t).Status
	b.lively(t)
	b.beat(t)
	got := b.Record(t).Status
	want := run.Status{
		Run: runtest.ID, Backfill: "users", Action: "start", State: run.Running, StartedAt: before.StartedAt, UpdatedAt: got.UpdatedAt,
		Chunks: run.Chunks{Total: 8, Pending: 4, Processing: 2, Completed: 2, Retries: 1},
		Rows:   run.Rows{Estimated: 1200, Scanned: 200, Affected: 198}, Concurrency: 1,
		Rate: forecast.Rate(0, 200, got.UpdatedAt.Sub(before.UpdatedAt), got.UpdatedAt.Sub(before.StartedAt)),
		Throttle: run.Throttle{Reason: "at most 4 workers at a time (ceiling of the stack)", Limits: run.Limits{Weight: 1},
			Workers: run.Workers{Most: 4, Reason: "ceiling of the stack"}, Signals: got.Throttle.Signals},
	}
	want.Average = want.Rate // it is the first sample
	want.ETA, want.ETASpread = forecast.ETA(want, 200, got.UpdatedAt)
	want.Changes, want.Failures = got.Changes, []run.Failure{} // the ledger has a test of the changes
	if diff := cmp.Diff(want, got); diff != "" || want.ETA == nil || want.Rate <= 0 {
		t.Fatalf("rate %v, eta %v: %s", want.Rate, want.ETA, diff)
	}
}

// TestABeatNamesTheLastFailures, three at most, the newest first.
func TestABeatNamesTheLastFailures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.onFailure(t, change.Continue)
	b.Plan(t, 6)
	for _, n := range []int64{5, 1, 4, 2} {
		b.Fail(t, n, fmt.Sprintf("SQLSTATE 2201%d", n))
	}
	b.beat(t)
	var got []string
	for _, f := range b.Record(t).Status.Failures {
		got = append(got, fmt.Sprintf("%d: %s %v", f.Chunk, f.Reason, f.At.IsZero() || f.At.Location() != time.UTC))
	}
	if diff := cmp.Diff([]string{"2: SQLSTATE 22012 false", "4: SQLSTATE 22014 false", "1: SQLSTATE 22011 false"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestABeatSaysWhatLimitsIt: of a person's limit and what the signals allow the lower.
func TestABeatSaysWhatLimitsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lively(t)
	b.Exec(t, "INSERT INTO backfill.shares (run, rate, set_by) VALUES ($1, 500, 'ann')", runtest.ID)
	for _, c := range []struct {
		decided any
		want    string
	}{{nil, "at most 500 rows/s for this run (set by ann)"}, {800, "at most 500 rows/s for this run (set by ann)"}, {300, "slowed to 300 rows/s: io_waits"}} {
		b.Exec(t, "UPDATE backfill.throttle SET rate = $1, reason = 'slowed to 300 rows/s: io_waits', decided_at = clock_timestamp() + interval '1 h'", c.decided)
		b.beat(t)
		if got := b.Record(t).Status.Throttle; got.Reason != c.want || *got.Limits.Rate != 500 {
			t.Errorf("%v: %+v", c.decided, got)
		}
	}
}

// TestABeatSaysHowManyMayWork, and why not more: of all limits the lowest.
func TestABeatSaysHowManyMayWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lively(t)
	for _, c := range []struct{ set, want, reason string }{
		{"INSERT INTO backfill.shares (run, workers, set_by) VALUES ('run-1', 9, 'ann')", "4 ceiling of the stack", "at most 4 workers at a time (ceiling of the stack)"},
		{"UPDATE backfill.throttle SET workers = 3, set_by = 'bob'", "3 for all runs of the database (set by bob)", "at most 3 workers at a time for all runs of the database (set by bob)"},
		{"UPDATE backfill.shares SET workers = 2", "2 for this run (set by ann)", "at most 2 workers at a time for this run (set by ann)"},
		{"UPDATE backfill.shares SET rate = 100, needs = 0.1, asked_at = clock_timestamp() + interval '1 h'", "1 the rate has no use for more", "at most 100 rows/s for this run (set by ann)"},
	} {
		b.Exec(t, c.set)
		b.beat(t)
		got := b.Record(t).Status.Throttle
		if text := fmt.Sprint(got.Workers.Most, " ", got.Workers.Reason); text != c.want || got.Reason != c.reason {
			t.Errorf("%s: %s; %s", c.set, text, got.Reason)
		}
	}
}

// TestABeatSaysThatWALLimitsIt, where that is met before other limits.
func TestABeatSaysThatWALLimitsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lively(t)
	b.Exec(t, "UPDATE backfill.throttle SET wal = 2e7, wal_rate = 4200, set_by = 'bob', decided_at = clock_timestamp() + interval '1 h'")
	for set, want := range map[string]string{"NULL": "at most 20 MB/s of WAL for all runs of the database (set by bob), now 4,200 rows/s", "4000": "at most 4,000 rows/s for all runs of the database (set by bob)"} {
		b.Exec(t, "UPDATE backfill.throttle SET ceiling = "+set)
		b.beat(t)
		if got := b.Record(t).Status.Throttle; got.Reason != want || got.WAL == nil || *got.WAL != 4200 {
			t.Errorf("%s: %+v", set, got)
		}
	}
}

// TestABeatSaysThatNobodyWorks, where chunks wait and no worker holds one: their messages may be hidden in the queue.
func TestABeatSaysThatNobodyWorks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lively(t)
	b.Die(t)
	b.beat(t)
	if got := b.Record(t).Status.Throttle.Reason; got != "no worker holds a chunk; what waits for longer than 30 s is sent again" {
		t.Fatal(got)
	}
}

// TestTheRateIsOfTheTimeBetweenTwoSamples, whoever made the one before.
func TestTheRateIsOfTheTimeBetweenTwoSamples(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, 1, 2)
	b.Exec(t, "UPDATE backfill.changes SET at = at - interval '1 h'") // a young run's average is its rate
	b.Exec(t, "INSERT INTO backfill.changes (run, at, state) VALUES ($1, clock_timestamp() - interval '1 h', 'RUNNING')", runtest.ID)
	b.beat(t)
	first := b.Record(t).Status
	b.Finish(t, 3, 4, 5)
	b.beat(t)
	second := b.Record(t).Status
	if want := forecast.Rate(first.Rate, 300, second.UpdatedAt.Sub(first.UpdatedAt), time.Hour); second.Rate != want || second.Rate == first.Rate {
		t.Fatalf("rate %v after %v, want %v", second.Rate, first.Rate, want)
	}
	if first.Average != first.Rate || second.Average == second.Rate || second.Average == first.Average {
		t.Fatalf("averages %v and %v beside rates of %v and %v", first.Average, second.Average, first.Rate, second.Rate)
	}
	if !second.Chunks.AllPlanned || second.Chunks.Pending != 7 || second.Rows.Scanned != 500 {
		t.Fatalf("%+v", second)
	}
	slow := b.Record(t)
	slow.Status.Rate = 10 // so that the end is not now
	must(t, b.Records.SaveProgress(t.Context(), slow.Status, slow.Beats))
	b.Claim(t, 6, 1)
	b.Exec(t, "UPDATE backfill.ledger SET scanned = 90 WHERE chunk = 6")
	b.beat(t)
	third := b.Record(t).Status
	if want, _ := forecast.ETA(third, 500, third.UpdatedAt); want == nil || third.ETA == nil || !want.Equal(*third.ETA) {
		t.Fatalf("the end is at %v, want %v: a chunk is as large as those that are done", third.ETA, want)
	}
}

// TestTheAverageBeginsAnewAfterAPause, and not with each state in which the run works.
func TestTheAverageBeginsAnewAfterAPause(t *testing.T) {
	t.Parallel()
	for paused, since := range map[bool]int{false: 0, true: 2} { // which of the changes below
		b := setup(t)
		b.Plan(t, 12)
		b.Finish(t, 1)
		b.Exec(t, "DELETE FROM backfill.changes")
		b.Exec(t, `INSERT INTO backfill.changes (run, at, state) SELECT $1, clock_timestamp() - ago, state FROM (VALUES (interval '1 h', 'PLANNING'), ('30 s', CASE WHEN $2 THEN 'PAUSED' ELSE '' END),
			('20 s', 'RUNNING')) AS c (ago, state)`, runtest.ID, paused)
		b.beat(t)
		first := b.Record(t).Status
		b.Finish(t, 2, 3, 4)
		b.beat(t)
		second := b.Record(t).Status
		age := second.UpdatedAt.Sub(second.Changes[since].At)
		if want := forecast.Average(first.Average, 300, second.UpdatedAt.Sub(first.UpdatedAt), age); math.Abs(second.Average/want-1) > 1e-6 {
			t.Errorf("paused %t: %v after %v, want %v", paused, second.Average, first.Average, want)
		}
	}
}

// TestTheLastReportIsOfTheEnd: what was read before the end still counts a lease that the end took away.
func TestTheLastReportIsOfTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lively(t)
	b.Die(t)
	b.cancel(t)
	b.expect(t, b.beat(t), turn.End, run.Cancelled, "enough")
	status := b.Record(t).Status
	want := run.Chunks{Total: 8, Pending: 6, Completed: 2, Retries: 1}
	if diff := cmp.Diff(want, status.Chunks); diff != "" || status.ETA != nil || status.EndedAt == nil || status.Concurrency != 0 {
		t.Fatalf("%+v: %s", status, diff)
	}
}

func TestABeatRenewsTheHeartbeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.Exec(t, "UPDATE backfill.runs SET heartbeat = '2000-01-01'")
	b.beat(t)
	if b.Number(t, "SELECT count(*) FROM backfill.runs WHERE heartbeat > '2000-01-02'") != 1 {
		t.Fatal("workers would stop by themselves")
	}
}

// TestTheFirstBeatOfASegmentNotesIt, so that a stopped execution can take its segment along.
func TestTheFirstBeatOfASegmentNotesIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	for _, c := range []struct {
		beat        int
		named, want string
	}{{1, segment, ""}, {0, segment, segment}, {1, "arn:other", segment}, {0, "", segment}, {0, "arn:next", "arn:next"}} {
		in := turn.Turn{Run: runtest.ID, Beat: c.beat, Budget: 400, Segment: c.named}
		b.beatOf(t, in)
		if got := b.Record(t).Segment; got != c.want {
			t.Errorf("after beat %d of %q the segment is %q, want %q", c.beat, c.named, got, c.want)
		}
	}
}

// short is a context whose end is near, and never comes: the test does not depend on how quick the machine is.
type short struct{ context.Context }

func (short) Deadline() (time.Time, bool) { return time.Now().Add(6 * time.Second), true }

// TestABeatEndsBeforeItsFunctionDoes: the time that is left is short of a pause and the last writes.
func TestABeatEndsBeforeItsFunctionDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.beat(t) // its repair has looked for lost messages, so that each sample is one write from here on
	b.governor.Duration = time.Hour
	samples := 0
	b.Wire.After = func(operation string) {
		if operation == "UpdateItem" {
			if samples++; samples == 2 {
				b.cancel(t)
			}
		}
	}
	got, err := b.governor.Beat(short{t.Context()}, turn.Turn{Run: runtest.ID, Beat: 3, Budget: 400})
	must(t, err)
	b.expect(t, got, turn.Beat, run.Running, "")
}

func TestABeatOfAnUnknownRunIsInvalid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.governor.Beat(t.Context(), turn.Turn{Run: "nobody"}); !failure.Is(err, failure.Invalid) {
		t.Fatal(err)
	}
}

// TestBetweenTwoChunksOfALimitedRun nobody works for a moment, which is what the limit is for.
func TestBetweenTwoChunksOfALimitedRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 12)
	b.Finish(t, 1)
	one := int64(1)
	_, err := b.Ledger.Tune(t.Context(), runtest.ID, ledger.Tuning{Workers: &one})
	must(t, err)
	b.beat(t)
	if got := b.Record(t).Status.Throttle.Reason; got != "at most 1 worker at a time for this run" {
		t.Error(got)
	}
	b.pass(t, time.Minute)
	b.beat(t)
	if got := b.Record(t).Status.Throttle.Reason; !strings.HasPrefix(got, "no worker holds a chunk") {
		t.Error(got)
	}
}
