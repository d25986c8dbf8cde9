package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/run"
)

// noon is the time in every test; a rest moves it on.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// bundle is a world without a terminal, a clock that only rests move, and a stack that answers as the test says.
type bundle struct {
	World
	out, err   bytes.Buffer
	columns    int // 0: no terminal
	control    *control
	executions *executions
	caller     Caller
	connected  error
	at         Place
}

// control answers each action by the next of its answers; the last one again and again.
type control struct {
	answers map[string][]any // a fault, or what is sent as JSON
	asked   []string
}

func (c *control) Look(_ context.Context, action any) (json.RawMessage, error) {
	return c.answer("look", action)
}

func (c *control) Act(_ context.Context, action any) (json.RawMessage, error) {
	return c.answer("act", action)
}

func (c *control) Register(_ context.Context, action any) (json.RawMessage, error) {
	return c.answer("register", action)
}

func (c *control) answer(how string, action any) (json.RawMessage, error) {
	text, err := json.Marshal(action)
	if err != nil {
		return nil, err
	}
	c.asked = append(c.asked, how+" "+string(text))
	var head struct{ Action string }
	_ = json.Unmarshal(text, &head)
	left := c.answers[head.Action]
	if len(left) == 0 {
		return nil, errors.New("the test has no answer to " + string(text))
	}
	if len(left) > 1 {
		c.answers[head.Action] = left[1:]
	}
	if fault, bad := left[0].(error); bad {
		return nil, fault
	}
	return json.Marshal(left[0])
}

// executions has those that were started, and what Find tells of them one look after the other.
type executions struct {
	started map[string]string
	looks   []Execution
	trouble string
	planned []bool // what Accepted tells, look after look, the last one again and again; none: it is
	lost    error  // of a start that somebody else was quicker with
}

func (e *executions) Start(_ context.Context, id string, input []byte) error {
	if e.lost != nil {
		e.started[id] = string(input)
		return e.lost
	}
	e.started[id] = string(input)
	return nil
}

func (e *executions) Find(_ context.Context, id string) (Execution, error) {
	input, ok := e.started[id]
	if !ok {
		return Execution{}, ErrNoExecution
	}
	found := Execution{Running: true}
	if len(e.looks) > 0 {
		found = e.looks[0]
	}
	if len(e.looks) > 1 {
		e.looks = e.looks[1:]
	}
	found.Input = input
	return found, nil
}

func (e *executions) Accepted(context.Context, string) (bool, error) {
	if len(e.planned) == 0 {
		return true, nil
	}
	accepted := e.planned[0]
	if len(e.planned) > 1 {
		e.planned = e.planned[1:]
	}
	return accepted, nil
}

func (e *executions) Trouble(context.Context, string) (string, error) { return e.trouble, nil }

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{control: &control{answers: map[string][]any{}}, executions: &executions{started: map[string]string{}}}
	now := noon
	b.World = World{
		Program: "backfill", In: strings.NewReader(""), Out: &b.out, Err: &b.err,
		Getenv: func(string) string { return "" },
		Width:  func(io.Writer) (int, bool) { return b.columns, b.columns > 0 },
		Now:    func() time.Time { return now },
		Rest: func(ctx context.Context, pause time.Duration) bool {
			now = now.Add(pause)
			return ctx.Err() == nil
		},
		By: "ann@laptop", Version: "v1.2.3", Commit: "0123abc",
		Connect: func(_ context.Context, at Place) (Stack, error) {
			b.at = at
			return Stack{Control: b.control, Executions: b.executions, Caller: b.caller}, b.connected
		},
	}
	return b
}

// run runs a command line and gives the exit code.
func (b *bundle) run(t *testing.T, words ...string) int {
	t.Helper()
	b.Args = words
	return Run(t.Context(), b.World)
}

// working is a run that goes on.
func working() run.Status {
	eta := noon.Add(12 * time.Second)
	return run.Status{
		Run: "email-1", Backfill: "users-email-normalized", Action: "start", State: run.Running, Table: "public.users",
		Chunks: run.Chunks{Total: 10, Pending: 4, Processing: 2, Completed: 4, Retries: 1, AllPlanned: true},
		Rows:   run.Rows{Estimated: 1_000_000, Scanned: 450_123, Affected: 441_000},
		Rate:   41_234.5, Concurrency: 2, Throttle: run.Throttle{Reason: "at most 4 workers at a time"},
		StartedAt: noon.Add(-11 * time.Second), UpdatedAt: noon.Add(-time.Second), ETA: &eta,
	}
}

// after is a run that has ended.
func after(state run.State, reason string) run.Status {
	ended := noon.Add(13 * time.Second)
	status := working()
	status.State, status.Reason, status.EndedAt, status.ETA, status.Concurrency = state, reason, &ended, nil, 0
	if state == run.Completed {
		status.Rows.Scanned, status.Rows.Affected = 1_000_000, 980_000
		status.Chunks = run.Chunks{Total: 10, Completed: 10, Retries: 1, AllPlanned: true}
	}
	return status
}

func unknownRun() error {
	return classed(string(failure.Invalid), "run email-1: no record of this run")
}
