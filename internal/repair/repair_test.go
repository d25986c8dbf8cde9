package repair_test

import (
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/repair"
	"backfill/internal/runtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// every is the pause between two looks for what nobody has claimed.
const every = 30 * time.Second

// window bounds what is on its way again.
const window = 200

// bundle is a run of 450 chunks, and a repairer that has not looked yet.
type bundle struct {
	*runtest.Bench
	repairer *repair.Repairer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.New(t)}
	b.Begin(t, 450)
	b.repairer = repair.New(b.Ledger, b.Dispatcher, b.Clock.Now)
	return b
}

// repair makes one repair, of what the ledger says now, and gives {chunk, send} of what it sent.
func (b *bundle) repair(t *testing.T) [][2]int64 {
	t.Helper()
	progress, again, err := b.Ledger.Beat(t.Context(), runtest.ID, window)
	must(t, err)
	must(t, b.repairer.Again(t.Context(), runtest.ID, again))
	must(t, b.repairer.Unclaimed(t.Context(), runtest.ID, b.Record(t).Plan.Planned, progress))
	return b.Queue.Numbers()
}

func expect(t *testing.T, what string, got [][2]int64, want ...[2]int64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s: %s", what, diff)
	}
}

func TestWhatAPlannerLeftBehindIsSentOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Commit(t, 1)
	expect(t, "at the first look", b.repair(t), [2]int64{1, 1})
	b.Commit(t, 2)
	expect(t, "before the next look", b.repair(t))
	b.Claim(t, 1, 1)
	b.Clock.Pass(every)
	expect(t, "at the next look", b.repair(t), [2]int64{2, 1})
	b.Clock.Pass(every)
	expect(t, "at the one after", b.repair(t))
}

func TestAChunkThatWasGivenBackIsSentWhenItsPauseIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 2)
	b.GiveBack(t, 2, time.Hour)
	expect(t, "in the pause", b.repair(t))
	b.Exec(t, "UPDATE backfill.ledger SET not_before = clock_timestamp() WHERE chunk = 2")
	expect(t, "after the pause", b.repair(t), [2]int64{2, 2})
	expect(t, "on its way", b.repair(t))
	b.Claim(t, 2, 2)
	expect(t, "claimed", b.repair(t))
}

func TestAChunkWhoseLeaseRanOutIsSentAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 2)
	b.Claim(t, 1, 1)
	b.Claim(t, 2, 1)
	expect(t, "while the leases live", b.repair(t))
	b.Die(t)
	expect(t, "when they have run out", b.repair(t), [2]int64{1, 2}, [2]int64{2, 2})
	b.Claim(t, 1, 2)
	b.Die(t)
	expect(t, "when one of them has run out once more", b.repair(t), [2]int64{1, 3})
}

// TestAMessageThatIsLostIsSentAgainAfterAWhile, and not before: a queue that is merely long would fill with copies.
func TestAMessageThatIsLostIsSentAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 3)
	b.Claim(t, 2, 1)
	b.Clock.Pass(ledger.Lost)
	expect(t, "at the age of Lost", b.repair(t))
	b.Clock.Pass(every)
	expect(t, "after it", b.repair(t), [2]int64{1, 2}, [2]int64{3, 2})
	b.Clock.Pass(every)
	expect(t, "on its way again", b.repair(t))
	b.Clock.Pass(ledger.Lost)
	expect(t, "lost again", b.repair(t), [2]int64{1, 3}, [2]int64{3, 3})
}

// TestAMessageIsLostSoonerWhereNobodyWorks: workers that cannot reach the database leave their messages hidden in the
// queue for its visibility timeout. Nothing is ahead of them, so nothing is to be waited for.
func TestAMessageIsLostSoonerWhereNobodyWorks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 3)
	b.Claim(t, 2, 1)
	b.Clock.Pass(ledger.LostIdle + every)
	expect(t, "while a lease lives", b.repair(t))
	b.GiveBack(t, 2, 0)
	b.Clock.Pass(every)
	expect(t, "when none lives", b.repair(t), [2]int64{2, 2}, [2]int64{1, 2}, [2]int64{3, 2})
	b.Clock.Pass(every)
	expect(t, "on its way again", b.repair(t))
	b.Exec(t, "UPDATE backfill.ledger SET sent_at = sent_at - $1::interval", ledger.LostIdle)
	b.Clock.Pass(every)
	expect(t, "lost again", b.repair(t), [2]int64{2, 3}, [2]int64{1, 3}, [2]int64{3, 3})
}

// TestAWorkerOfAnotherRunKeepsMessagesWaiting: it is the same queue.
func TestAWorkerOfAnotherRunKeepsMessagesWaiting(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 1)
	b.Exec(t, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, state)
		VALUES ('other', 'orders', 'arn:other', 'public.orders', '', '{}', 'RUNNING')`)
	b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, hi, state, lease_until)
		VALUES ('other', 1, '{9}', 'PROCESSING', clock_timestamp() + interval '1 minute')`)
	b.Clock.Pass(ledger.LostIdle + every)
	expect(t, "while it works", b.repair(t))
	b.Exec(t, "UPDATE backfill.runs SET ended_at = now(), state = 'FAILED' WHERE run = 'other'")
	b.Clock.Pass(every)
	expect(t, "when its run has ended", b.repair(t), [2]int64{1, 2})
}

// TestASecondSendThatIsLostIsSentAgainAsWell: the ledger still waits for the chunk, its last send is too old.
func TestASecondSendThatIsLostIsSentAgainAsWell(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 1)
	b.GiveBack(t, 1, 0)
	expect(t, "given back", b.repair(t), [2]int64{1, 2})
	expect(t, "on its way", b.repair(t))
	b.Exec(t, "UPDATE backfill.ledger SET sent_at = sent_at - $1::interval", ledger.Lost)
	expect(t, "after the age of Lost", b.repair(t), [2]int64{1, 3})
}

// TestMessagesOfBeforeAResumeAreLost: workers have consumed them while the run was closed.
func TestMessagesOfBeforeAResumeAreLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 2)
	b.Claim(t, 1, 1)
	expect(t, "on its way", b.repair(t))
	b.Exec(t, "UPDATE backfill.runs SET resumed_at = $1", b.Clock.Now().Add(time.Millisecond))
	b.Clock.Pass(2 * time.Millisecond)
	expect(t, "after the resume", b.repair(t), [2]int64{2, 2})
	expect(t, "on its way again", b.repair(t))
}

// TestOneRepairSendsNoMoreThanTwoHundred that are unclaimed, and no more again than the window; the rest comes later.
func TestOneRepairSendsNoMoreThanTwoHundred(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for last := int64(90); last <= 450; last += 90 {
		b.Plan(t, last)
	}
	for n := range int64(210) {
		b.GiveBack(t, n+1, 0)
	}
	if sent := b.repair(t); len(sent) != 200 || sent[199] != [2]int64{200, 2} {
		t.Fatalf("%d sent, the last %v", len(sent), sent[len(sent)-1])
	}
	for n := range int64(200) {
		b.Claim(t, n+1, 2)
	}
	b.Clock.Pass(ledger.Lost + time.Millisecond)
	sent := b.repair(t)
	if len(sent) != 210 || sent[0] != [2]int64{201, 2} || sent[10] != [2]int64{211, 2} || sent[209] != [2]int64{410, 2} {
		t.Fatalf("%d sent, of what was given back up to %v, of what is lost up to %v", len(sent), sent[9], sent[len(sent)-1])
	}
	b.Clock.Pass(every)
	if sent := b.repair(t); len(sent) > 0 {
		t.Fatalf("200 are on their way, yet %d were sent", len(sent))
	}
}

// TestAChunkThatSQSDidNotTakeIsSentWithTheNextSample, and not after the time in which a message counts as lost.
func TestAChunkThatSQSDidNotTakeIsSentWithTheNextSample(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 3)
	for n := range int64(3) {
		b.GiveBack(t, n+1, 0)
	}
	b.Queue.Answer = func([]chunk.Message) ([]int64, error) { return []int64{1, 3}, nil }
	b.repair(t)
	b.Queue.Answer = nil
	expect(t, "after a part was refused", b.repair(t), [2]int64{1, 2}, [2]int64{3, 2})
	expect(t, "on their way", b.repair(t))
}

// TestASendThatFailsIsTriedAgain: nothing is lost when SQS does not answer.
func TestASendThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Commit(t, 2)
	b.Queue.Answer = func([]chunk.Message) ([]int64, error) { return nil, failure.New(failure.Transient, "gone") }
	if err := b.repairer.Unclaimed(t.Context(), runtest.ID, 2, ledger.Progress{}); !failure.Is(err, failure.Transient) {
		t.Fatal(err)
	}
	b.Queue.Take()
	b.Queue.Answer = nil
	b.Clock.Pass(every)
	if sent := b.repair(t); len(sent) != 2 {
		t.Fatalf("%v", sent)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheLogOfTheRunTellsEachRepair: which chunks, and why; what was given back in order, or consumed in a pause, is none.
func TestTheLogOfTheRunTellsEachRepair(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Commit(t, 3)
	b.repair(t)
	b.Claim(t, 1, 1)
	b.Die(t)
	b.GiveBack(t, 2, 0)
	b.repair(t)
	b.Clock.Pass(ledger.LostIdle + every)
	b.repair(t)
	b.Claim(t, 2, 2)
	b.Commit(t, 5)
	b.Clock.Pass(every)
	b.repair(t)
	b.Clock.Pass(ledger.Lost + every)
	b.repair(t)
	b.Exec(t, "UPDATE backfill.runs SET resumed_at = $1", b.Clock.Now().Add(time.Millisecond))
	b.Clock.Pass(2 * time.Millisecond)
	if sent := b.repair(t); len(sent) == 0 {
		t.Error("nothing is sent again after a resume")
	}
	rows, err := b.Conn.Query(t.Context(), "SELECT regexp_replace(detail, '; .*', '') FROM backfill.changes WHERE state = '' ORDER BY n")
	must(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	want := []string{
		"chunks 1-5 sent: planned before, and not put on the queue",
		"chunk 1 sent again: lease expired",
		"chunk 3 sent again: unclaimed while no worker was at work",
		"chunks 3-5 sent again: unclaimed for 5 min, so the message was lost",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

// TestAQueueThatNobodyReadsDoesNotFill: a run that is stalled has its messages sent again every five minutes only.
func TestAQueueThatNobodyReadsDoesNotFill(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 3)
	b.GiveBack(t, 2, 0)
	b.repair(t)
	must(t, b.Ledger.Stall(t.Context(), runtest.ID, "nobody comes"))
	b.Exec(t, "UPDATE backfill.ledger SET sent_at = sent_at - $1::interval", ledger.LostIdle)
	b.Clock.Pass(ledger.LostIdle + every)
	expect(t, "after the age of LostIdle", b.repair(t))
	b.Exec(t, "UPDATE backfill.ledger SET sent_at = sent_at - $1::interval", ledger.Lost)
	b.Clock.Pass(ledger.Lost)
	expect(t, "after the age of Lost", b.repair(t), [2]int64{2, 3}, [2]int64{1, 2}, [2]int64{3, 2})
}
