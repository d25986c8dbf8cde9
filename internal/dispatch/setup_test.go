package dispatch_test

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/dispatch"
	"backfill/internal/dynamotest"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/queue"
	"backfill/internal/queuetest"
	"backfill/internal/records"
	"backfill/internal/run"

	diff "github.com/google/go-cmp/cmp"
)

const theRun = "run-1"

// bundle is a dispatcher over a table and a queue of the test's own, both of which can refuse.
type bundle struct {
	*dispatch.Dispatcher
	store  *records.Store
	behind queuetest.Queue
	sqs    *queuetest.Wire
	dynamo *refusing
	now    time.Time // of every send
	noted  []ledger.Again
}

// Sent is what the dispatcher has the ledger note.
func (b *bundle) Sent(_ context.Context, _ string, sent []ledger.Again) error {
	b.noted = append(b.noted, sent...)
	return nil
}

// later is a moment at which every send of before counts as lost.
func (b *bundle) later() time.Time { return b.now.Add(time.Millisecond) }

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{sqs: &queuetest.Wire{}, dynamo: &refusing{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	client, table := dynamotest.Table(t, b.dynamo)
	b.store = records.New(client, table, 24*time.Hour, func() time.Time { return b.now })
	b.behind = queuetest.New(t, b.sqs)
	b.Dispatcher = dispatch.New(b, b.store, queue.New(b.behind.Client, b.behind.URL))
	must(t, b.store.CreateRun(t.Context(), run.Status{Run: theRun, State: run.Planning}, "arn:execution"))
	return b
}

// refusing is a transport that refuses the n-th call of an operation, before DynamoDB has seen it.
type refusing struct {
	operation string
	left      int
}

func (w *refusing) refuse(operation string, n int) { w.operation, w.left = operation, n }

func (w *refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+w.operation) {
		if w.left--; w.left == 0 {
			return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"__type":"AccessDeniedException"}`))}, nil
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// commit stores the next page of the plan, of so many chunks.
func (b *bundle) commit(t *testing.T, after int64, chunks int) records.Page {
	t.Helper()
	page := records.Page{Run: theRun, After: after}
	for n := after + 1; n <= after+int64(chunks); n++ {
		cut := keyset.Range{Hi: keyset.Point{strconv.FormatInt(n*100, 10)}}
		if n > 1 {
			cut.Lo = keyset.Point{strconv.FormatInt(n*100-100, 10)}
		}
		page.Chunks = append(page.Chunks, chunk.Chunk{Run: theRun, Number: n, Range: cut})
	}
	must(t, b.store.CommitPage(t.Context(), page))
	return page
}

// messages are those of a page's chunks, for a send.
func messages(page records.Page, send int64) []chunk.Message {
	var all []chunk.Message
	for _, c := range page.Chunks {
		all = append(all, c.Message(send))
	}
	return all
}

// expectOutbox demands that the outbox holds the chunks of these pages and no other.
func (b *bundle) expectOutbox(t *testing.T, pages ...records.Page) {
	t.Helper()
	var want []records.Left
	for _, page := range pages {
		left := records.Left{Run: theRun, After: page.After}
		for _, c := range page.Chunks {
			left.Chunks = append(left.Chunks, c.Number)
		}
		want = append(want, left)
	}
	got, err := b.store.Outbox(t.Context(), theRun)
	must(t, err)
	if difference := diff.Diff(want, got); difference != "" {
		t.Fatalf("outbox: %s", difference)
	}
}

// expectQueue drains the queue: it holds these messages and no other.
func (b *bundle) expectQueue(t *testing.T, want ...chunk.Message) {
	t.Helper()
	if difference := diff.Diff(sorted(want), sorted(b.behind.Drain(t, len(want)))); difference != "" {
		t.Fatalf("queue: %s", difference)
	}
}

func (b *bundle) expectSent(t *testing.T, want int) {
	t.Helper()
	if sent, err := b.SendOutbox(t.Context(), theRun); err != nil || len(sent) != want {
		t.Fatalf("%v sent from the outbox, want %d; %v", sent, want, err)
	}
}

func (b *bundle) expectUnclaimed(t *testing.T, want int, olderThan time.Time, numbers ...int64) {
	t.Helper()
	if sent, err := b.SendUnclaimed(t.Context(), theRun, numbers, olderThan); err != nil || len(sent) != want {
		t.Fatalf("%v sent again, want %d; %v", sent, want, err)
	}
}

// expectSends demands that the last sends of the chunks from 1 on have these numbers in the records.
func (b *bundle) expectSends(t *testing.T, want ...int64) {
	t.Helper()
	for i, send := range want {
		found, err := b.store.Chunks(t.Context(), theRun, []int64{int64(i) + 1})
		must(t, err)
		if len(found) != 1 || found[0].Send != send {
			t.Fatalf("chunk %d: %+v, want send %d", i+1, found, send)
		}
	}
}

// sorted orders by chunk: a standard queue has no order.
func sorted(messages []chunk.Message) []chunk.Message {
	return slices.SortedFunc(slices.Values(messages), func(a, b chunk.Message) int {
		return cmp.Or(cmp.Compare(a.Chunk, b.Chunk), cmp.Compare(a.Send, b.Send))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
