// Package host stands in for Lambda in front of one environment of a function: the real bootstrap process.
//
// It owns the process and the Runtime API that the process asks for work: one invocation at a time, the deadline, the
// kill at the timeout, the report of an exit, the start of a new process after it. It leaves to its callers what is
// invoked, and when to kill, pause and continue. Invariant: a kill has happened when Kill returns, so what its caller
// then holds back never reaches the process, and nothing that the process had yet to send will come.
package host

import (
	"context"
	"sync"
	"time"
)

// asking bounds the wait for a process that starts: the machine may be busy with others.
const asking = time.Minute

// Host is one environment. Variables are those of the next process.
type Host struct {
	Name      string
	Program   string
	Variables map[string]string
	Alias     string        // by which it is invoked; "": by none
	Timeout   time.Duration // of an invocation, as the template sets it
	Log       *Log
	// Trace, if set, gives the trace under which an invocation is, as a header of X-Ray.
	Trace func() string
	// Answering, if set, is called before an answer of the process counts. It may kill: then there was no answer.
	Answering func(failed bool)

	mutex   sync.Mutex
	process *process
}

// Failure is how an invocation ends badly. Type is the name that the state machines match on: the class that the
// function gave, or Lambda's own for a process that ended or ran out of time.
type Failure struct{ Type, Message string }

func (f *Failure) Error() string { return f.Type + ": " + f.Message }

// The names that Lambda gives.
const (
	Exited   = "Runtime.ExitError"
	TimedOut = "Sandbox.Timedout"
)

// Invoke has one invocation, in a new process if there is none. An error is a *Failure, or the context's.
func (h *Host) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	p, err := h.running()
	if err != nil {
		return nil, err
	}
	patience, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	call := &invocation{payload: payload, alias: h.Alias, trace: h.Trace, timeout: h.Timeout, answered: make(chan answer, 1), answering: h.Answering}
	select {
	case p.invocations <- call:
	case <-p.ended:
		return nil, exited(h.Name)
	case <-patience.Done():
		h.Kill()
		return nil, patience.Err()
	}
	return h.await(ctx, p, call)
}

func (h *Host) await(ctx context.Context, p *process, call *invocation) ([]byte, error) {
	timer := time.NewTimer(h.Timeout)
	defer timer.Stop()
	select {
	case got := <-call.answered:
		return got.result()
	case <-p.ended:
		return nil, exited(h.Name)
	case <-timer.C:
		p.kill()
		return nil, &Failure{Type: TimedOut, Message: h.Name + " was killed at its timeout"}
	case <-ctx.Done():
		p.kill()
		return nil, context.Cause(ctx)
	}
}

func exited(name string) error {
	return &Failure{Type: Exited, Message: name + " ended without an answer"}
}

// running gives the process that lives, or a new one.
func (h *Host) running() (*process, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.process != nil && !h.process.hasEnded() {
		return h.process, nil
	}
	started, err := start(h)
	if err == nil {
		h.process = started
	}
	return started, err
}

func (h *Host) current() *process {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.process
}

// Kill ends the process without a word, and returns when it is gone. It tells whether there was one.
func (h *Host) Kill() bool {
	p := h.current()
	return p != nil && p.kill()
}

// Pause stops the process where it is; Continue lets it go on.
func (h *Host) Pause() { h.signal(stopSignal) }

// Continue ends a pause.
func (h *Host) Continue() { h.signal(continueSignal) }
