package queuetest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// Wire is a transport that sees each batch on its way to SQS, and may change the answer, or refuse the batch before
// SQS has seen it.
type Wire struct {
	Sizes  []int // messages in each batch so far
	Change func(answer *Answer)
	Refuse int // the n-th batch, from 1
}

// Answer is what SQS says to a batch.
type Answer struct {
	Successful []map[string]any `json:"Successful,omitempty"`
	Failed     []map[string]any `json:"Failed,omitempty"`
}

// RoundTrip passes everything else on as it is.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
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
	w.Sizes = append(w.Sizes, len(batch.Entries))
	if len(w.Sizes) == w.Refuse {
		return reply(r, http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#AccessDenied"}`), nil
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || w.Change == nil {
		return response, err
	}
	defer func() { _ = response.Body.Close() }()
	var got Answer
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		return nil, err
	}
	w.Change(&got)
	changed, err := json.Marshal(got)
	return reply(r, response.StatusCode, string(changed)), err
}

func reply(r *http.Request, status int, body string) *http.Response {
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	return &http.Response{StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}
}

// Fail moves entries of the answer to those that SQS did not accept.
func (a *Answer) Fail(ids ...string) {
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
