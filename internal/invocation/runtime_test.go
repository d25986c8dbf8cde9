package invocation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// environment is a process that serves one of the functions in functions_test.go, and Lambda's Runtime API in front
// of it: what a function's process sees on AWS.
type environment struct {
	t       *testing.T
	server  *httptest.Server
	process *exec.Cmd
	log     record
	invoke  chan string // payloads; the process waits for one
	answers chan answer
}

// answer is what the process reported of an invocation.
type answer struct {
	Body string
	// of an error
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

const invokedARN = "arn:aws:lambda:us-east-1:123456789012:function:backfill-control:read"

func start(t *testing.T, function string) *environment {
	t.Helper()
	e := &environment{t: t, invoke: make(chan string), answers: make(chan answer, 1), log: record{grew: make(chan struct{}, 1)}}
	e.server = httptest.NewServer(e.routes())
	e.process = exec.Command(os.Args[0])
	e.process.Env = append(os.Environ(), functionVariable+"="+function, "AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(e.server.URL, "http://"))
	e.process.Stdout, e.process.Stderr = &e.log, &e.log
	if err := e.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = e.process.Process.Kill()
		_ = e.process.Wait()
		e.server.CloseClientConnections()
		e.server.Close()
	})
	return e
}

func (e *environment) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("POST /2020-01-01/extension/register", func(http.ResponseWriter, *http.Request) {})
	routes.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	routes.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	routes.HandleFunc("POST /2018-06-01/runtime/invocation/request-1/{kind}", e.report)
	return routes
}

func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	select {
	case payload := <-e.invoke:
		deadline := time.Now().Add(time.Minute)
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(deadline.UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", invokedARN)
		_, _ = io.WriteString(w, payload)
	case <-r.Context().Done():
	}
}

func (e *environment) report(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := answer{Body: string(body)}
	if r.PathValue("kind") == "error" {
		_ = json.Unmarshal(body, &got)
	}
	w.WriteHeader(http.StatusAccepted)
	e.answers <- got
}

// call makes one invocation.
func (e *environment) call(payload string) answer {
	e.t.Helper()
	e.begin(payload)
	return e.end()
}

func (e *environment) begin(payload string) {
	e.t.Helper()
	select {
	case e.invoke <- payload:
	case <-time.After(patience):
		e.t.Fatalf("the process asked for no invocation; its log:\n%s", e.exited())
	}
}

func (e *environment) end() answer {
	e.t.Helper()
	select {
	case got := <-e.answers:
		return got
	case <-time.After(patience):
		e.t.Fatalf("the invocation was not answered; the log:\n%s", e.exited())
		return answer{}
	}
}

// exited ends the process and gives the whole of its log.
func (e *environment) exited() string {
	_ = e.process.Process.Kill()
	_ = e.process.Wait()
	return e.log.String()
}

// await returns when the process has printed a text.
func (e *environment) await(text string) {
	e.t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(e.log.String(), text) {
		select {
		case <-e.log.grew:
		case <-deadline:
			e.t.Fatalf("%q was not printed; the log:\n%s", text, e.exited())
		}
	}
}

// record keeps what a process prints, and tells that there is more.
type record struct {
	mutex sync.Mutex
	text  bytes.Buffer
	grew  chan struct{}
}

func (r *record) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.String()
}

func (r *record) Write(text []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	select {
	case r.grew <- struct{}{}:
	default: // nobody has taken the last word yet
	}
	return r.text.Write(text)
}

// patience is how long a test waits for a process on a busy machine.
const patience = 20 * time.Second
