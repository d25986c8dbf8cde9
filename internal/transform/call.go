package transform

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"backfill/internal/failure"
)

// Result is what came of one row.
type Result struct {
	Changed bool
	Values  []*string // of the columns that are written, in order; nil is NULL
	Refused error     // a *Refusal
}

// Call has the function work on rows, and gives a result for each. It does not wait for a function longer than the limit, and not
// longer than the context lives; one that does not heed its context goes on by itself, and what it gives is dropped. An error is a
// *Broken, but where the context has ended.
func (f Function) Call(ctx context.Context, limit time.Duration, rows []Row) ([]Result, error) {
	calling, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answered := make(chan answer, 1)
	go func() { answered <- f.guarded(calling, slices.Clone(rows)) }()
	var got answer
	select {
	case got = <-answered:
	case <-calling.Done():
		got.err = calling.Err()
	}
	switch {
	case ctx.Err() != nil:
		return nil, failure.New(failure.Transient, "function %q was stopped: %w", f.Name, ctx.Err())
	case got.err != nil && calling.Err() != nil:
		return nil, f.broken(failure.Permanent, fmt.Sprintf("gave no answer within %s", limit), nil)
	case got.panicked != "":
		return nil, f.broken(failure.Permanent, got.panicked, nil)
	case isTransient(got.err):
		return nil, f.broken(failure.Transient, "gave an error that it calls transient", got.err)
	case got.err != nil:
		return nil, f.broken(failure.Permanent, fmt.Sprintf("gave an error of type %T, whose text may hold values and is not shown", innermost(got.err)), got.err)
	}
	return f.results(rows, got.changes)
}

type answer struct {
	changes  []Change
	err      error
	panicked string
}

// guarded makes a panic an answer.
func (f Function) guarded(ctx context.Context, rows []Row) (got answer) {
	returned := false
	defer func() {
		if returned {
			return
		}
		got = answer{panicked: "ended its goroutine"}
		if value := recover(); value != nil {
			got.panicked = fmt.Sprintf("panicked at %s: %s", place(), described(value))
		}
	}()
	got.changes, got.err = f.Do(ctx, rows)
	returned = true
	return got
}

// described is what was panicked with, as far as it cannot hold a value of a row.
func described(value any) string {
	switch value := value.(type) {
	case misuse:
		return string(value)
	case runtime.Error:
		return value.Error()
	}
	return fmt.Sprintf("a %T, whose text may hold values and is not shown", value)
}

const mostFrames = 64

// place is the line of the function that panicked: neither of Go's own, nor of this package.
func place() string {
	counters := make([]uintptr, mostFrames)
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters)])
	for panicking := false; ; {
		frame, more := frames.Next()
		own := strings.HasPrefix(frame.Function, "runtime.") || strings.HasPrefix(frame.Function, "backfill/internal/transform.")
		if panicking && !own {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown line"
		}
	}
}

// results puts the changes to their rows, and refuses what a function must not give.
func (f Function) results(rows []Row, changes []Change) ([]Result, error) {
	results := make([]Result, len(rows))
	var values []*string // of all rows, one after the other
	for _, c := range changes {
		at := c.row.number
		switch {
		case c.row.form == nil || at >= len(rows) || c.row.form != rows[at].form:
			return nil, f.broken(failure.Permanent, "gave a change that is of none of its rows", nil)
		case results[at].Changed || results[at].Refused != nil:
			return nil, f.broken(failure.Permanent, "gave two changes for one row", nil)
		case c.refused != nil:
			results[at].Refused = failure.As(failure.Data, &Refusal{function: f.Name, why: c.refused})
			continue
		}
		if values == nil {
			values = make([]*string, len(rows)*len(c.values))
		}
		results[at] = Result{Changed: true, Values: values[at*len(c.values) : (at+1)*len(c.values) : (at+1)*len(c.values)]}
		for i, value := range c.values {
			if value.as == "" {
				return nil, f.broken(failure.Permanent, fmt.Sprintf("gave a change without column %q", c.row.form.gives[i].Name), nil)
			}
			if value.as != null {
				results[at].Values[i] = &c.values[i].text
			}
		}
	}
	return results, nil
}

func innermost(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}
