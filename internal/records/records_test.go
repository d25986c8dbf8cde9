package records_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/dynamotest"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/records"
	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

const theRun = "run-1"

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// bundle is a store on a table of its own, with a clock that the test moves.
type bundle struct {
	*records.Store
	now    time.Time
	wire   *wire
	client *dynamodb.Client
	table  string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{now: start, wire: &wire{}}
	b.client, b.table = dynamotest.Table(t, b.wire)
	b.Store = records.New(b.client, b.table, 24*time.Hour, func() time.Time { return b.now })
	must(t, b.CreateRun(t.Context(), describe(theRun, start), "arn:execution"))
	return b
}

func describe(id string, at time.Time) run.Status {
	return run.Status{Run: id, Backfill: "users", Action: "start", State: run.Planning, StartedAt: at, UpdatedAt: at,
		Rows: run.Rows{Estimated: 42}}
}

// wire loses the answer of the next call, after it has had its effect.
type wire struct{ lose atomic.Bool }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && w.lose.CompareAndSwap(true, false) {
		_ = answer.Body.Close()
		return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Request: r,
			Body: io.NopCloser(bytes.NewBufferString(`{"__type":"InternalServerError"}`))}, nil
	}
	return answer, err
}

func page(after int64, ends ...string) records.Page {
	p := records.Page{Run: theRun, After: after}
	var lo keyset.Point
	if after > 0 {
		lo = keyset.Point{"before", ""}
	}
	for i, end := range ends {
		hi := keyset.Point{end, ""} // an empty string must survive
		p.Chunks = append(p.Chunks, chunk.Chunk{Run: theRun, Number: after + int64(i) + 1, Range: keyset.Range{Lo: lo, Hi: hi}})
		lo = hi
	}
	return p
}

func TestARunIsReadAsItWasWritten(t *testing.T) {
	b := setup(t)
	if err := b.CreateRun(t.Context(), describe(theRun, start), ""); !errors.Is(err, records.ErrExists) {
		t.Fatalf("created twice: %v", err)
	}
	must(t, b.SetSegment(t.Context(), theRun, "arn:segment"))
	got, err := b.Run(t.Context(), theRun)
	must(t, err)
	want := records.Record{Status: describe(theRun, start), Execution: "arn:execution", Segment: "arn:segment"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if _, err := b.Run(t.Context(), "nobody"); !errors.Is(err, records.ErrNotFound) || !failure.Is(err, failure.Invalid) {
		t.Fatalf("unknown run: %v", err)
	}
}

func TestAPageIsCommittedOnceWhateverHappensToItsAnswer(t *testing.T) {
	b := setup(t)
	b.wire.lose.Store(true)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b")))
	must(t, b.CommitPage(t.Context(), page(0, "a", "b")))
	if err := b.CommitPage(t.Context(), page(0, "a", "c")); !errors.Is(err, records.ErrPlanMoved) || !failure.Is(err, failure.Transient) {
		t.Fatalf("another page in its place: %v", err)
	}
	must(t, b.CommitPage(t.Context(), page(2, "c")))
	record, err := b.Run(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff(records.Plan{Planned: 3, Cursor: keyset.Point{"c", ""}}, record.Plan); diff != "" {
		t.Fatal(diff)
	}
	outbox, err := b.Outbox(t.Context(), theRun)
	must(t, err)
	want := []records.Left{{Run: theRun, After: 0, Chunks: []int64{1, 2}}, {Run: theRun, After: 2, Chunks: []int64{3}}}
	if diff := cmp.Diff(want, outbox); diff != "" {
		t.Fatal(diff)
	}
}

func TestAPageOfTheLargestSizeFits(t *testing.T) {
	b := setup(t)
	ends := make([]string, records.MaxPage)
	for i := range ends {
		ends[i] = strings.Repeat("k", 500) + string(rune('a'+i%26))
	}
	must(t, b.CommitPage(t.Context(), page(0, ends...)))
	seen := map[int64]bool{}
	must(t, b.EachChunk(t.Context(), theRun, func(all []records.Checkpoint) error {
		for _, c := range all {
			seen[c.Chunk] = true
		}
		return nil
	}))
	if len(seen) != records.MaxPage {
		t.Fatalf("%d chunks of %d were visited", len(seen), records.MaxPage)
	}
	if err := b.CommitPage(t.Context(), page(98, append(ends, "more")...)); !failure.Is(err, failure.Permanent) {
		t.Fatalf("a page that is too large: %v", err)
	}
}

func TestAnEmptyPageClosesThePlan(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), records.Page{Run: theRun, Closed: true}))
	record, err := b.Run(t.Context(), theRun)
	must(t, err)
	if !record.Plan.Closed || record.Plan.Planned != 0 {
		t.Fatalf("%+v", record.Plan)
	}
	if err := b.CommitPage(t.Context(), page(0, "a")); !errors.Is(err, records.ErrPlanMoved) {
		t.Fatalf("a page after the end of the plan: %v", err)
	}
}

func TestTheOutboxKeepsWhatWasNotAccepted(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b", "c")))
	must(t, b.SettleOutbox(t.Context(), theRun, 0, []int64{2}))
	outbox, err := b.Outbox(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff([]records.Left{{Run: theRun, Chunks: []int64{2}}}, outbox); diff != "" {
		t.Fatal(diff)
	}
	must(t, b.SettleOutbox(t.Context(), theRun, 0, nil))
	if outbox, err = b.Outbox(t.Context(), theRun); err != nil || len(outbox) != 0 {
		t.Fatalf("%v, %v", outbox, err)
	}
}

func TestASendIsNumberedOnlyWhenTheLastOneIsSpentOrLost(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a")))
	next := func(spent int64, lost time.Duration) (int64, bool) {
		message, due, err := b.NextSend(t.Context(), theRun, 1, spent, b.now.Add(-lost))
		must(t, err)
		if due && !message.Hi.Same(keyset.Point{"a", ""}) {
			t.Fatalf("message %+v", message)
		}
		return message.Send, due
	}
	sent := func(send int64) { must(t, b.Sent(t.Context(), chunk.Message{Run: theRun, Chunk: 1, Send: send})) }
	if _, due := next(0, time.Minute); due {
		t.Fatal("the first send is on its way, yet it was numbered anew")
	}
	if send, due := next(1, time.Minute); !due || send != 2 {
		t.Fatalf("after the first was spent: %d, %v", send, due)
	}
	if send, due := next(1, time.Minute); !due || send != 3 {
		t.Fatalf("after the second was numbered and not sent: %d, %v", send, due)
	}
	sent(2) // too late: the third has taken its place
	sent(3)
	if _, due := next(1, time.Minute); due {
		t.Fatal("the third send is on its way, yet it was numbered anew")
	}
	b.now = b.now.Add(2 * time.Minute)
	if send, due := next(1, time.Minute); !due || send != 4 {
		t.Fatalf("after the third was lost: %d, %v", send, due)
	}
}

func TestAnOlderFenceNeverWins(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a")))
	write := func(state chunk.State, fence int64) error {
		return b.Checkpoint(t.Context(), records.Checkpoint{Run: theRun, Chunk: 1, State: state, Fence: fence, Affected: fence})
	}
	must(t, write(chunk.Processing, 1))
	must(t, write(chunk.Processing, 2))
	if err := write(chunk.Completed, 1); !errors.Is(err, records.ErrStale) {
		t.Fatalf("an older fence: %v", err)
	}
	must(t, write(chunk.Completed, 2))
	must(t, write(chunk.Completed, 2))
	if err := write(chunk.Processing, 2); !errors.Is(err, records.ErrStale) {
		t.Fatalf("an older state of the same fence: %v", err)
	}
	got, err := b.Chunks(t.Context(), theRun, []int64{1})
	must(t, err)
	if len(got) != 1 || got[0].State != chunk.Completed || got[0].Affected != 2 {
		t.Fatalf("%+v", got)
	}
}

func TestStatesFollowTheTable(t *testing.T) {
	b := setup(t)
	must(t, b.SetState(t.Context(), theRun, run.Running, ""))
	must(t, b.SaveProgress(t.Context(), run.Status{Run: theRun, State: run.Planning, Rate: 7}))
	must(t, b.SetState(t.Context(), theRun, run.Cancelling, "enough"))
	must(t, b.SetState(t.Context(), theRun, run.Cancelled, "enough"))
	must(t, b.SetState(t.Context(), theRun, run.Failed, "too late"))
	status, err := b.Status(t.Context(), theRun)
	must(t, err)
	if status.State != run.Cancelled || status.Reason != "enough" || status.Rate != 7 || status.EndedAt == nil {
		t.Fatalf("%+v", status)
	}
}

func TestChunksExpireWithTheirRun(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b", "c")))
	must(t, b.Expire(t.Context(), theRun))
	must(t, b.Expire(t.Context(), theRun))
	found, err := b.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.table, ConsistentRead: aws.Bool(true),
		FilterExpression: aws.String("begins_with(SK, :chunk) AND expires = :at"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":chunk": &types.AttributeValueMemberS{Value: "CHUNK#"},
			":at": &types.AttributeValueMemberN{Value: strconv.FormatInt(start.Add(24*time.Hour).Unix(), 10)}}})
	must(t, err)
	if found.Count != 3 {
		t.Fatalf("%d chunks of 3 expire", found.Count)
	}
}

func TestTheSegmentOfAnotherExecutionIsNotTold(t *testing.T) {
	b := setup(t)
	must(t, b.SetSegment(t.Context(), theRun, "arn:segment"))
	for execution, want := range map[string]string{"arn:execution": "arn:segment", "arn:other": ""} {
		got, err := b.Segment(t.Context(), theRun, execution)
		must(t, err)
		if got != want {
			t.Errorf("execution %s has segment %q, want %q", execution, got, want)
		}
	}
}

func TestARefusedRunIsRecordedAndListed(t *testing.T) {
	b := setup(t)
	b.now = start.Add(time.Minute)
	must(t, b.Refuse(t.Context(), "run-2", "users", "unknown column"))
	must(t, b.Refuse(t.Context(), theRun, "users", "lost"))
	runs, err := b.List(t.Context(), 10)
	must(t, err)
	if len(runs) != 2 || runs[0].Run != "run-2" || runs[0].State != run.Failed || runs[0].Reason != "unknown column" {
		t.Fatalf("%+v", runs)
	}
	if runs[1].State != run.Failed || runs[1].Reason != "lost" || runs[1].Rows.Estimated != 42 {
		t.Fatalf("%+v", runs[1])
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
