package host

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// invocation is one on its way to a process.
type invocation struct {
	payload   []byte
	alias     string
	trace     func() string
	timeout   time.Duration
	answered  chan answer
	answering func(failed bool)
}

type answer struct {
	body   []byte
	failed bool
}

func (a answer) result() ([]byte, error) {
	if !a.failed {
		return a.body, nil
	}
	var told struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(a.body, &told); err != nil {
		return nil, fmt.Errorf("read the error %q of a function: %w", a.body, err)
	}
	return nil, &Failure{Type: told.Type, Message: told.Message}
}

var requests atomic.Int64

// routes is the Runtime API (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), and as much of the Extensions
// API as the runtime library registers for SIGTERM.
func (p *process) routes() http.Handler {
	var current atomic.Pointer[invocation]
	routes := http.NewServeMux()
	routes.HandleFunc("POST /2020-01-01/extension/register", func(http.ResponseWriter, *http.Request) {})
	routes.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	routes.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case call := <-p.invocations:
			current.Store(call)
			call.deliver(w)
		case <-r.Context().Done():
		}
	})
	routes.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		call := current.Swap(nil)
		if err != nil || call == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got := answer{body: body, failed: r.PathValue("kind") == "error"}
		if call.answering != nil {
			call.answering(got.failed)
		}
		if !p.hasEnded() {
			call.answered <- got
		}
		w.WriteHeader(http.StatusAccepted)
	})
	return routes
}

func (i *invocation) deliver(w http.ResponseWriter) {
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("request-%d", requests.Add(1)))
	w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(i.timeout).UnixMilli()))
	arn := "arn:aws:lambda:us-east-1:123456789012:function:faults"
	if i.alias != "" {
		arn += ":" + i.alias
	}
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", arn)
	if i.trace != nil {
		w.Header().Set("Lambda-Runtime-Trace-Id", i.trace())
	}
	_, _ = w.Write(i.payload)
}
