// Package invocation is what surrounds each invocation of a function.
//
// It owns the deadline that leaves time for an orderly end, the logger, and the one place where an error becomes the
// name on which a state machine matches. It leaves the work to the handler. Invariants: an error leaves with a class
// of failure.Leaves; no text that leaves holds a row's value (failure.Safe); a panic is logged, answered as Permanent
// and ends the process, for nobody knows in what state it left the rest.
package invocation

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"backfill/internal/failure"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// margin is taken from the end of each invocation: a statement that was cancelled takes up to a second to come back,
// and the answer and the log have to get out. Lambda kills without a word at the timeout itself.
const margin = 2 * time.Second

// Function is what a function consists of: Handle does the work of one invocation, Close ends connections before
// the environment goes away.
type Function[In, Out any] struct {
	Handle func(ctx context.Context, in In) (Out, error)
	Close  func()
}

// Setup makes a function. It is called with the first invocation, not while the environment starts: so a wrong
// setting is an answer that people can read, and calls to AWS belong to a trace. After an error the next invocation
// calls it again.
type Setup[In, Out any] func(ctx context.Context) (Function[In, Out], error)

// Start serves invocations until the environment goes away.
func Start[In, Out any](name string, setup Setup[In, Out]) {
	slog.SetDefault(slog.New(about{Handler: lambdacontext.NewLogHandler()}).With("function", name))
	entry := &entry[In, Out]{setup: setup, stopping: make(chan struct{})}
	lambda.StartWithOptions(entry.invoke, lambda.WithEnableSIGTERM(entry.stop))
}

// entry serves one invocation at a time.
type entry[In, Out any] struct {
	setup    Setup[In, Out]
	mutex    sync.Mutex // held by an invocation, and by the end
	function *Function[In, Out]
	stopping chan struct{}
}

func (e *entry[In, Out]) invoke(ctx context.Context, payload json.RawMessage) (out Out, err error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	ctx, cancel := e.shorten(context.WithValue(ctx, subjectKey{}, subjectOf(payload)))
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked(ctx, cause)
		}
	}()
	out, err = e.handle(ctx, payload)
	if err != nil {
		return out, failed(ctx, err)
	}
	return out, nil
}

func (e *entry[In, Out]) handle(ctx context.Context, payload json.RawMessage) (Out, error) {
	var in In
	var none Out
	if err := json.Unmarshal(payload, &in); err != nil {
		return none, failure.New(failure.Invalid, "read the function's input: %w", err)
	}
	if e.function == nil {
		function, err := e.setup(ctx)
		if err != nil {
			return none, err
		}
		e.function = &function
	}
	return e.function.Handle(ctx, in)
}

// shorten ends the context before Lambda ends the function, or as soon as the environment is told to stop.
func (e *entry[In, Out]) shorten(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := bounded(ctx)
	go func() {
		select {
		case <-e.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-margin))
	}
	return context.WithCancel(ctx)
}

// stop lets an invocation that still runs end in order, then closes what the function holds open.
func (e *entry[In, Out]) stop() {
	close(e.stopping)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.function != nil && e.function.Close != nil {
		e.function.Close()
	}
}
