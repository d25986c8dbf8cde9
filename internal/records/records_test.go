package records_test

import (
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

// wire loses the answer of the next call, after it has had its effect, and lets a test see each answer and change it.
type wire struct {
	lose     atomic.Bool
	answered func(operation string, answer *http.Response)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && w.answered != nil {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.answered(operation, answer)
	}
	if err == nil && w.lose.CompareAndSwap(true, false) {
		replace(answer, http.StatusInternalServerError, `{"__type":"InternalServerError"}`)
	}
	return answer, err
}

// replace puts another answer in the place of the server's.
func replace(answer *http.Response, status int, body string) {
	_ = answer.Body.Close()
	answer.StatusCode, answer.Header, answer.ContentLength = status, http.Header{}, int64(len(body))
	answer.Body = io.NopCloser(strings.NewReader(body))
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

func TestALaterSendIsNotForgottenForAnEarlierOne(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a")))
	expect := func(send int64, at time.Time) {
		t.Helper()
		found, err := b.Chunks(t.Context(), theRun, []int64{1})
		must(t, err)
		if len(found) != 1 || found[0].Send != send || !found[0].SentAt.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("%+v, want send %d at %s", found, send, at)
		}
	}
	first := b.now
	expect(1, first)
	b.now = b.now.Add(time.Minute)
	must(t, b.Sent(t.Context(), chunk.Message{Run: theRun, Chunk: 1, Send: 3}))
	expect(3, b.now)
	third := b.now
	b.now = b.now.Add(time.Minute)
	must(t, b.Sent(t.Context(), chunk.Message{Run: theRun, Chunk: 1, Send: 2}))
	must(t, b.Sent(t.Context(), chunk.Message{Run: theRun, Chunk: 2, Send: 2}))
	expect(3, third)
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

// TestManyCheckpointsAtOnce: one that is newer stays as it is, and does not keep the others from being written.
func TestManyCheckpointsAtOnce(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b", "c")))
	must(t, b.Checkpoint(t.Context(), records.Checkpoint{Run: theRun, Chunk: 2, State: chunk.Processing, Fence: 1}))
	var all []records.Checkpoint
	for n := int64(1); n <= 3; n++ {
		all = append(all, records.Checkpoint{Run: theRun, Chunk: n, State: chunk.Completed, Scanned: 10, Reason: "none"})
	}
	must(t, b.Checkpoints(t.Context(), all))
	must(t, b.Checkpoints(t.Context(), all))
	got, err := b.Chunks(t.Context(), theRun, []int64{1, 2, 3})
	must(t, err)
	for _, c := range got {
		done := c.State == chunk.Completed && c.Scanned == 10 && c.Reason == "none" && c.Fence == 0
		if done != (c.Chunk != 2) || len(got) != 3 {
			t.Errorf("%+v", c)
		}
	}
}

// TestChunksExpireWithTheirRun, and so does a page that was never sent.
func TestChunksExpireWithTheirRun(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b", "c")))
	must(t, b.Expire(t.Context(), theRun))
	must(t, b.Expire(t.Context(), theRun))
	found, err := b.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.table, ConsistentRead: aws.Bool(true),
		FilterExpression: aws.String("SK <> :run AND expires = :at"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": &types.AttributeValueMemberS{Value: "RUN"},
			":at": &types.AttributeValueMemberN{Value: strconv.FormatInt(start.Add(24*time.Hour).Unix(), 10)}}})
	must(t, err)
	if found.Count != 4 {
		t.Fatalf("%d of 3 chunks and a page expire", found.Count)
	}
}

// TestAnEndThatIsRepeatedWritesWhatIsLeft: it was interrupted after three of five chunks.
func TestAnEndThatIsRepeatedWritesWhatIsLeft(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b", "c")))
	must(t, b.SettleOutbox(t.Context(), theRun, 0, nil))
	must(t, b.Expire(t.Context(), theRun))
	must(t, b.CommitPage(t.Context(), page(3, "d", "e")))
	must(t, b.SettleOutbox(t.Context(), theRun, 3, nil))
	var writes atomic.Int64
	b.wire.answered = func(operation string, _ *http.Response) {
		if operation == "UpdateItem" {
			writes.Add(1)
		}
	}
	must(t, b.Expire(t.Context(), theRun))
	if writes.Load() != 2 {
		t.Fatalf("%d writes for the 2 chunks that are left", writes.Load())
	}
}

// TestARunThatIsBroughtBackWasHeardOfNow: days may lie between its end and that.
func TestARunThatIsBroughtBackWasHeardOfNow(t *testing.T) {
	b := setup(t)
	status := describe(theRun, start)
	status.Rate = 1000
	must(t, b.SaveProgress(t.Context(), status, 7))
	must(t, b.SetState(t.Context(), theRun, run.Cancelled, "cancelled"))
	b.now = start.Add(48 * time.Hour)
	must(t, b.Reopen(t.Context(), theRun, "rollback", run.RollingBack, "arn:second"))
	got, err := b.Status(t.Context(), theRun)
	must(t, err)
	want := describe(theRun, start)
	want.Action, want.State, want.UpdatedAt = "rollback", run.RollingBack, b.now
	if record, err := b.Run(t.Context(), theRun); err != nil || record.Beats != 7 { // Postgres counts on
		t.Errorf("%+v, %v", record, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARunIsBroughtBackOnceByAnExecution(t *testing.T) {
	b := setup(t)
	must(t, b.SetState(t.Context(), theRun, run.Cancelled, "cancelled"))
	must(t, b.Reopen(t.Context(), theRun, "rollback", run.RollingBack, "arn:second"))
	must(t, b.SetState(t.Context(), theRun, run.Cancelling, "cancelled again"))
	must(t, b.Reopen(t.Context(), theRun, "rollback", run.RollingBack, "arn:second"))
	got, err := b.Status(t.Context(), theRun)
	must(t, err)
	if got.State != run.Cancelling || got.Reason != "cancelled again" {
		t.Errorf("the run is %s (%s)", got.State, got.Reason)
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
