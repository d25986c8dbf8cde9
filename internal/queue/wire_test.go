package queue_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/queue"
	"backfill/internal/queuetest"
)

// wire sees each batch on its way to SQS, and may change the answer, or refuse the batch before SQS has seen it.
type wire struct {
	sizes  []int // messages in each batch
	change func(answer *answer)
	refuse int // the n-th batch, from 1
}

// answer is what SQS says to a batch.
type answer struct {
	Successful []map[string]any `json:"Successful,omitempty"`
	Failed     []map[string]any `json:"Failed,omitempty"`
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessageBatch") {
		return http.DefaultTransport.RoundTrip(r)
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var batch struct{ Entries []any }
	if err := json.Unmarshal(sent, &batch); err != nil {
		return nil, err
	}
	w.sizes = append(w.sizes, len(batch.Entries))
	if len(w.sizes) == w.refuse {
		return reply(r, http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#AccessDenied"}`), nil
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || w.change == nil {
		return response, err
	}
	defer func() { _ = response.Body.Close() }()
	var got answer
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		return nil, err
	}
	w.change(&got)
	changed, err := json.Marshal(got)
	return reply(r, response.StatusCode, string(changed)), err
}

func reply(r *http.Request, status int, body string) *http.Response {
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	return &http.Response{StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}
}

// fail moves entries of the answer to those that SQS did not accept.
func (a *answer) fail(ids ...string) {
	left := a.Successful[:0:0]
	for _, entry := range a.Successful {
		failed := false
		for _, id := range ids {
			failed = failed || entry["Id"] == id
		}
		if failed {
			a.Failed = append(a.Failed, map[string]any{"Id": entry["Id"], "Code": "InternalError", "SenderFault": false})
		} else {
			left = append(left, entry)
		}
	}
	a.Successful = left
}

// bundle is a queue of the test's own behind a wire.
type bundle struct {
	*queue.Queue
	behind queuetest.Queue
	wire   *wire
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{wire: &wire{}}
	b.behind = queuetest.New(t, b.wire)
	b.Queue = queue.New(b.behind.Client, b.behind.URL)
	return b
}

// messages makes one for each size of its key, in bytes.
func messages(sizes ...int) []chunk.Message {
	all := make([]chunk.Message, len(sizes))
	for i, size := range sizes {
		all[i] = chunk.Message{Run: "run-1", Chunk: int64(i) + 1, Hi: keyset.Point{strings.Repeat("k", size)}, Send: 1}
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
