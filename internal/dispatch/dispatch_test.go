package dispatch_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/queuetest"
	"backfill/internal/records"

	diff "github.com/google/go-cmp/cmp"
)

func TestAPageLeavesTheOutboxWithItsLastChunk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 12)
	b.expectOutbox(t, page)
	must(t, b.SendPage(t.Context(), page))
	b.expectOutbox(t)
	b.expectQueue(t, messages(page, 1)...)
}

func TestAPageWithoutChunksSendsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	must(t, b.SendPage(t.Context(), b.commit(t, 0, 0)))
	b.expectQueue(t)
}

// TestWhatWasNotAcceptedIsSentLater: the rest of the page is not sent a second time.
func TestWhatWasNotAcceptedIsSentLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 12)
	b.sqs.Change = func(a *queuetest.Answer) { a.Fail("1") }
	must(t, b.SendPage(t.Context(), page))
	b.behind.Drain(t, 0)
	b.expectOutbox(t, records.Page{Run: theRun, Chunks: slices.Concat(page.Chunks[1:2], page.Chunks[11:])})
	b.sqs.Change = func(a *queuetest.Answer) { a.Fail("0") }
	b.expectSent(t, 1)
	b.behind.Drain(t, 0)
	b.sqs.Change = nil
	outbox, err := b.store.Outbox(t.Context(), theRun)
	must(t, err)
	if len(outbox) != 1 || len(outbox[0].Chunks) != 1 {
		t.Fatalf("outbox: %v", outbox)
	}
	b.expectSent(t, 1)
	b.expectQueue(t, messages(page, 1)[outbox[0].Chunks[0]-1])
	b.expectOutbox(t)
	b.expectSent(t, 0)
}

// TestAPlannerThatDiesBeforeItSendsLosesNothing: SQS refuses, then everything that was left behind is sent, page by page.
func TestAPlannerThatDiesBeforeItSendsLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.commit(t, 0, 3), b.commit(t, 3, 2)
	b.sqs.Refuse = 1
	if err := b.SendPage(t.Context(), first); !failure.Is(err, failure.Transient) || !strings.Contains(err.Error(), theRun) {
		t.Fatalf("SQS refused: %v", err)
	}
	b.expectOutbox(t, first, second)
	b.expectSent(t, 5)
	b.expectOutbox(t)
	b.expectQueue(t, slices.Concat(messages(first, 1), messages(second, 1))...)
}

// TestACrashBetweenSendAndSettleSendsOnceMore: the same send, which the ledger takes as one.
func TestACrashBetweenSendAndSettleSendsOnceMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 3)
	b.dynamo.refuse("DeleteItem", 1)
	if err := b.SendPage(t.Context(), page); err == nil {
		t.Fatal("the outbox was not settled, and nobody said so")
	}
	b.expectOutbox(t, page)
	b.dynamo.refuse("DeleteItem", 1)
	if sent, err := b.SendOutbox(t.Context(), theRun); err == nil || len(sent) != 3 {
		t.Fatalf("%v sent, %v", sent, err)
	}
	b.expectSent(t, 3)
	b.expectOutbox(t)
	b.expectQueue(t, slices.Concat(messages(page, 1), messages(page, 1), messages(page, 1))...)
}

// TestTheOutboxSendsTheNumberOfTheLastSend: what repair has sent meanwhile must not become spent by an older number.
func TestTheOutboxSendsTheNumberOfTheLastSend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 2)
	b.expectUnclaimed(t, 1, b.later(), 2)
	b.expectSent(t, 2)
	b.expectQueue(t, messages(page, 1)[0], messages(page, 2)[1], messages(page, 2)[1])
}

func TestAChunkOnItsWayIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 2)
	b.expectUnclaimed(t, 0, b.now, 1)
	b.expectQueue(t)
	b.expectSends(t, 1, 1)
	b.expectUnclaimed(t, 1, b.later(), 1)
	b.expectQueue(t, messages(page, 2)[0])
	b.expectSends(t, 2, 1)
	b.expectUnclaimed(t, 0, b.now, 1) // now it is on its way
}

func TestAnUnknownChunkIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.commit(t, 0, 1)
	b.expectUnclaimed(t, 0, b.now.Add(time.Hour), 2)
	b.expectQueue(t)
}

// TestASendIsNotedAfterItIsSent: a crash in between only means that it is sent once more, under the same number.
func TestASendIsNotedAfterItIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 2)
	b.sqs.Refuse = 1
	if sent, err := b.SendUnclaimed(t.Context(), theRun, []int64{1, 2}, b.later()); !failure.Is(err, failure.Transient) || len(sent) != 0 {
		t.Fatalf("SQS refused: %v sent, %v", sent, err)
	}
	b.expectSends(t, 1, 1)
	b.expectQueue(t)
	lost := b.later()
	b.now = b.now.Add(time.Minute)
	b.dynamo.refuse("UpdateItem", 2)
	sent, err := b.SendUnclaimed(t.Context(), theRun, []int64{1, 2}, b.later())
	if err == nil || !strings.Contains(err.Error(), "of run "+theRun) || len(sent) != 2 {
		t.Fatalf("%v sent, %v", sent, err)
	}
	b.expectUnclaimed(t, 1, lost, 1, 2)
	b.expectQueue(t, slices.Concat(messages(page, 2), messages(page, 2)[1:])...)
}

func TestOnlyAcceptedChunksCountAsSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.commit(t, 0, 2)
	b.sqs.Change = func(a *queuetest.Answer) { a.Fail("1") }
	b.expectUnclaimed(t, 1, b.later(), 1, 2)
	b.behind.Drain(t, 0)
	b.sqs.Change = nil
	b.expectUnclaimed(t, 1, b.later(), 2)
	b.expectQueue(t, messages(page, 2)[1])
}

// TestWhatTheLedgerHasSentAgain: noted after it is sent, and only what was accepted, so that a crash loses nothing.
func TestWhatTheLedgerHasSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	again := []ledger.Again{{Chunk: 7, Hi: keyset.Point{"70"}, Send: 3}, {Chunk: 8, Lo: keyset.Point{"70"}, Hi: keyset.Point{"80"}, Send: 2}}
	b.sqs.Change = func(a *queuetest.Answer) { a.Fail("1") }
	sent, err := b.SendAgain(t.Context(), theRun, again)
	must(t, err)
	if difference := diff.Diff(again[:1], b.noted); sent != 1 || difference != "" {
		t.Fatalf("%d sent, noted: %s", sent, difference)
	}
	b.behind.Drain(t, 0)
	b.sqs.Change, b.noted = nil, nil
	sent, err = b.SendAgain(t.Context(), theRun, again[1:])
	must(t, err)
	if difference := diff.Diff(again[1:], b.noted); sent != 1 || difference != "" {
		t.Fatalf("%d sent, noted: %s", sent, difference)
	}
	b.expectQueue(t, chunk.Message{Run: theRun, Chunk: 8, Lo: keyset.Point{"70"}, Hi: keyset.Point{"80"}, Send: 2})
	b.noted, b.sqs.Refuse = nil, len(b.sqs.Sizes)+1
	if sent, err := b.SendAgain(t.Context(), theRun, again); err == nil || sent != 0 || len(b.noted) != 0 {
		t.Fatalf("SQS refused: %d sent, %v, noted %+v", sent, err, b.noted)
	}
}
