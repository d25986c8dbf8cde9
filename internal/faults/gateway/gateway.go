// Package gateway stands between the functions and AWS, and has calls fail in the ways in which they fail there.
//
// It owns the doors (one for each caller, so that a fault knows whose process to kill), the routing of calls to real
// servers, and the faults. It leaves which call meets which fault to a rule of its caller. Invariant: a call that
// meets no fault passes unchanged.
package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Caller is the process behind a door.
type Caller interface{ Kill() bool }

// Call is one call of a function to AWS.
type Call struct {
	Caller    Caller
	Service   string // DynamoDB_20120810, AmazonSQS, AWSStepFunctions, secretsmanager
	Operation string
	Body      string
}

// Rule chooses the fault of a call; nil is none. It is called from several goroutines.
type Rule func(Call) Fault

// Gateway routes calls by their service.
type Gateway struct {
	servers map[string]string // endpoint by service
	secret  func() string
	rule    atomic.Pointer[Rule]
}

// New makes a gateway to DynamoDB and SQS. Secret, where given, is the text of every secret in Secrets Manager: how a
// database moves to another address.
func New(dynamoDB, sqs string, secret func() string) *Gateway {
	g := &Gateway{servers: map[string]string{"DynamoDB_20120810": dynamoDB, "AmazonSQS": sqs}, secret: secret}
	g.Watch(func(Call) Fault { return nil })
	return g
}

// Watch sets the rule.
func (g *Gateway) Watch(rule Rule) { g.rule.Store(&rule) }

// Door listens for one caller until the test ends, and gives the endpoint.
func (g *Gateway) Door(t testing.TB, caller Caller) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, caller) }))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, caller Caller) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller was killed
	}
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	e := &exchange{gateway: g, writer: w, request: r, body: body, call: Call{
		Caller: caller, Service: service, Operation: operation, Body: string(body),
	}}
	fault := (*g.rule.Load())(e.call)
	if fault == nil {
		fault = pass
	}
	fault(e)
}

// exchange is a call and the way back to its caller.
type exchange struct {
	gateway *Gateway
	call    Call
	writer  http.ResponseWriter
	request *http.Request
	body    []byte
}

// response is what AWS said.
type response struct {
	status int
	header http.Header
	body   []byte
}

// forward has the call's effect. The caller's end does not stop a call that is on its way.
func (e *exchange) forward() response {
	if e.call.Service == "secretsmanager" && e.gateway.secret != nil {
		body, _ := json.Marshal(map[string]string{"Name": "database", "SecretString": e.gateway.secret()})
		return response{status: http.StatusOK, body: body}
	}
	if e.call.Service == "AWSStepFunctions" { // the executions are the tests' own
		if e.call.Operation == "SendTaskSuccess" {
			return failed(http.StatusBadRequest, "TaskDoesNotExist", "Task Does Not Exist")
		}
		return failed(http.StatusBadRequest, "ExecutionDoesNotExist", "Execution Does Not Exist")
	}
	request, err := http.NewRequest(e.request.Method, e.gateway.servers[e.call.Service]+e.request.URL.Path, bytes.NewReader(e.body))
	if err != nil {
		return failed(http.StatusBadGateway, "BadGateway", err.Error())
	}
	request.Header = e.request.Header.Clone()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return failed(http.StatusBadGateway, "BadGateway", err.Error())
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return failed(http.StatusBadGateway, "BadGateway", err.Error())
	}
	return response{status: answer.StatusCode, header: answer.Header, body: body}
}

func (e *exchange) answer(r response) {
	for name, values := range r.header {
		if name != "Content-Length" && name != "Transfer-Encoding" && name != "Connection" {
			e.writer.Header()[name] = values
		}
	}
	e.writer.WriteHeader(r.status)
	_, _ = e.writer.Write(r.body)
}

// drop cuts the caller's connection in place of an answer.
func (e *exchange) drop() {
	if conn, _, err := http.NewResponseController(e.writer).Hijack(); err == nil {
		_ = conn.Close()
	}
}
