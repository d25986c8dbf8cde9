package planner_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/planner"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// TestPagesGrow: the first is small, so that a worker has something at once; the largest keeps its snapshot short.
func TestPagesGrow(t *testing.T) {
	t.Parallel()
	b := setup(t, 5050, 100)
	var sizes []int
	b.Queue.Answer = func(messages []chunk.Message) ([]int64, error) {
		sizes = append(sizes, len(messages))
		return nil, nil
	}
	b.begin(t)
	if diff := cmp.Diff([]int{2, 4, 8, 16, 16, 5}, sizes); diff != "" {
		t.Fatal(diff)
	}
	b.expectPlan(t, runtest.ID, 51, 50500, b.Queue.Take())
	if plan := b.Record(t).Plan; !plan.Closed {
		t.Fatalf("%+v", plan)
	}
}

// TestNoMoreThanTheLookAheadWaits: at no moment are more chunks planned than workers have claimed and the look-ahead.
func TestNoMoreThanTheLookAheadWaits(t *testing.T) {
	t.Parallel()
	b := setup(t, 2450, 5)
	b.Wire.After = func(operation string) {
		if operation != "TransactWriteItems" {
			return
		}
		if waiting := b.Record(t).Plan.Planned - b.Number(t, "SELECT count(*) FROM backfill.ledger"); waiting > 5 {
			t.Errorf("%d chunks wait", waiting)
		}
	}
	b.begin(t)
	for planned := int64(5); planned < 25; planned += 5 {
		if plan := b.Record(t).Plan; plan.Planned != planned || plan.Closed {
			t.Fatalf("%+v, want %d", plan, planned)
		}
		b.claimed(t)
		if got := b.plan(t); got.Next != turn.Beat || got.State != run.Running {
			t.Fatalf("%+v", got)
		}
	}
	b.claimed(t)
	b.plan(t)
	if plan := b.Record(t).Plan; plan.Planned != 25 || !plan.Closed || len(b.Queue.Take()) > 0 {
		t.Fatalf("%+v", plan)
	}
	b.planned(t, runtest.ID)
}

// TestChunksWithoutASlotWait: they were given back, and no others are planned in their place. Where one worker may work, four wait.
func TestChunksWithoutASlotWait(t *testing.T) {
	t.Parallel()
	b := setup(t, 2450, 5)
	b.begin(t)
	one := int64(1)
	_, err := b.Ledger.Tune(t.Context(), runtest.ID, ledger.Tuning{Workers: &one})
	must(t, err)
	for _, message := range b.Queue.Take() {
		_, err := b.Ledger.Claim(t.Context(), message, "worker")
		must(t, err)
	}
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PENDING' AND reason <> ''"); n != 4 {
		t.Fatalf("%d chunks have no slot", n)
	}
	for planned, done := range []int64{0, 1, 2} {
		b.Exec(t, "UPDATE backfill.ledger SET state = 'COMPLETED' WHERE chunk <= $1", done)
		b.plan(t)
		if plan := b.Record(t).Plan; plan.Planned != int64(max(5, planned+4)) {
			t.Fatalf("%d chunks are done: %+v", done, plan)
		}
	}
}

// TestWhatADeadPlannerLeftIsSentFirst and once: a page that was committed and not sent, and a part of one.
func TestWhatADeadPlannerLeftIsSentFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.Queue.Answer = func(messages []chunk.Message) ([]int64, error) {
		if messages[0].Chunk == 1 {
			return []int64{2}, nil // SQS took chunk 1 alone
		}
		return nil, failure.New(failure.Transient, "SQS is gone")
	}
	if _, err := b.planner.Handle(t.Context(), start(runtest.ID)); !failure.Is(err, failure.Transient) {
		t.Fatal(err)
	}
	left, err := b.Records.Outbox(t.Context(), runtest.ID)
	must(t, err)
	if diff := cmp.Diff([]records.Left{{Run: runtest.ID, Chunks: []int64{2}}, {Run: runtest.ID, After: 2, Chunks: []int64{3, 4, 5, 6}}}, left); diff != "" {
		t.Fatal(diff)
	}
	b.Queue.Take()
	b.Queue.Answer = nil
	b.planner.LookAhead = 7
	b.plan(t)
	sent := b.Queue.Numbers()
	if last := sent[len(sent)-1]; last != [2]int64{7, 1} {
		t.Errorf("the new page was sent before what was left: %v", sent)
	}
	slices.SortFunc(sent, func(a, b [2]int64) int { return int(a[0] - b[0]) })
	if diff := cmp.Diff([][2]int64{{2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}}, sent); diff != "" {
		t.Fatal(diff)
	}
	if left, err := b.Records.Outbox(t.Context(), runtest.ID); err != nil || len(left) > 0 {
		t.Fatalf("%+v, %v", left, err)
	}
}

// TestARunThatWantsNoWorkIsNotPlanned, nor is sent what was left in its outbox.
func TestARunThatWantsNoWorkIsNotPlanned(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.Queue.Answer = func(messages []chunk.Message) ([]int64, error) { return []int64{messages[0].Chunk}, nil }
	b.begin(t)
	b.claimed(t)
	for state, next := range map[run.State]turn.Next{
		run.Pausing: turn.Beat, run.Paused: turn.Beat, run.Cancelling: turn.Beat, run.Cancelled: turn.End, run.Failed: turn.End, run.Completed: turn.End,
	} {
		b.Exec(t, "UPDATE backfill.runs SET state = $1, reason = 'test', ended_at = CASE WHEN $2 THEN now() END", state, state.Ended())
		for _, got := range []turn.Turn{b.plan(t), b.beginAgain(t)} {
			if got.State != state || got.Next != next || got.Reason != "test" {
				t.Errorf("%s: %+v", state, got)
			}
		}
		if plan := b.Record(t).Plan; plan.Planned != 6 || len(b.Queue.Take()) > 0 {
			t.Errorf("%s: %+v", state, plan)
		}
	}
}

// TestNothingIsPlannedOutsideOfItsWindows: a run that is started then has not touched a row before the governor pauses it.
func TestNothingIsPlannedOutsideOfItsWindows(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	name := func(ahead int) string { return time.Now().UTC().AddDate(0, 0, ahead).Weekday().String()[:3] }
	got, err := b.planner.Handle(t.Context(), startOf(runtest.ID, increment+"windows: {days: ["+name(2)+", "+name(3)+"]}\n"))
	must(t, err)
	if got.State != run.Running || got.Next != turn.Beat || b.Record(t).Plan.Planned != 0 || len(b.Queue.Take()) > 0 {
		t.Fatalf("%+v, %+v", got, b.Record(t).Plan)
	}
	b.Exec(t, "UPDATE backfill.runs SET free_until = clock_timestamp() + interval '1 hour'")
	b.plan(t)
	if planned := b.Record(t).Plan.Planned; planned != 6 || len(b.Queue.Take()) != 6 {
		t.Fatalf("%d chunks are planned", planned)
	}
}

func (b *bundle) beginAgain(t *testing.T) turn.Turn {
	t.Helper()
	got, err := b.planner.Handle(t.Context(), start(runtest.ID))
	must(t, err)
	return got
}

// TestACancelInTheMiddleOfPlanningIsNotUndone: no further page is planned, and the record stays CANCELLING.
func TestACancelInTheMiddleOfPlanningIsNotUndone(t *testing.T) {
	t.Parallel()
	b := setup(t, 5050, 100)
	b.Queue.Answer = func([]chunk.Message) ([]int64, error) {
		_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "enough")
		must(t, err)
		return nil, b.Records.SetState(t.Context(), runtest.ID, run.Cancelling, "enough")
	}
	got := b.beginAgain(t)
	b.Expect(t, run.Cancelling, "enough")
	if plan := b.Record(t).Plan; plan.Planned != 2 || got.State == run.Running {
		t.Fatalf("%+v, %+v", plan, got)
	}
}

// short is a context whose end is near, and never comes: the test does not depend on how quick the machine is.
type short struct{ context.Context }

func (short) Deadline() (time.Time, bool) { return time.Now().Add(19 * time.Second), true }

// TestAPlannerThatIsAtItsDeadlineLeavesThePlanAsItIs: a page that is cut short by the end of the function is no use.
func TestAPlannerThatIsAtItsDeadlineLeavesThePlanAsItIs(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	_, err := b.planner.Handle(short{t.Context()}, start(runtest.ID))
	must(t, err)
	if plan := b.Record(t).Plan; plan.Planned != 0 || plan.Closed {
		t.Fatalf("%+v", plan)
	}
	b.plan(t)
	b.expectPlan(t, runtest.ID, 6, 6000, b.Queue.Take())
}

// looks counts them.
type looks struct {
	planner.Ledger
	made int
}

func (l *looks) Beat(ctx context.Context, id string, window int64) (ledger.Progress, []ledger.Again, error) {
	l.made++
	return l.Ledger.Beat(ctx, id, window)
}

// TestAPlannerLooksOnceAPage, and once to see that none is wanted any more.
func TestAPlannerLooksOnceAPage(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	counted := &looks{Ledger: b.planner.Ledger}
	b.planner.Ledger = counted
	if b.begin(t); counted.made != 3 || b.Record(t).Plan.Planned != 6 { // pages of 2 and 4 chunks
		t.Errorf("%d looks for two pages", counted.made)
	}
	if b.plan(t); counted.made != 4 {
		t.Errorf("%d looks for none", counted.made-3)
	}
}

func TestAPlanOfAnUnknownRunIsInvalid(t *testing.T) {
	t.Parallel()
	b := setup(t, 0, 6)
	if _, err := b.planner.Handle(t.Context(), planner.Call{Step: "plan", Run: "nobody"}); !failure.Is(err, failure.Invalid) {
		t.Fatal(err)
	}
}
