// Package pipeline does, thinly, what Step Functions and the event source mapping do around the functions.
//
// It owns the loop of begin, beat and plan with the retries of infra/statemachine (as many tries, a twentieth of the
// waits), and the lanes that feed workers from a real queue. It leaves the functions to host. Invariant: it decides
// by nothing but what a function answers; an invocation that ends without an answer is tried again.
package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"backfill/internal/failure"
	"backfill/internal/faults/host"
	"backfill/internal/turn"
)

const (
	// budget of beats in a segment; small, so that runs see several.
	budget = 50
	// firstWait and longestWait are a twentieth of the state machines'.
	firstWait   = 100 * time.Millisecond
	longestWait = 6 * time.Second
)

// tries of an invocation: MaxAttempts of the state machines, and the first.
const (
	beginTries = 8
	planTries  = 7
	beatTries  = 11
)

// Function is what can be invoked: a host, or a function in the test's own process.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Machine is the state machines.
type Machine struct {
	Planner  Function
	Governor Function
	// Pause, if set, is waited for between beats: the time in which people would look.
	Pause time.Duration
}

// Run makes one execution and gives its last turn. An error is one after which the state machine closes the run.
func (m *Machine) Run(ctx context.Context, name string, request any) (turn.Turn, error) {
	now, err := call[turn.Turn](ctx, m.Planner, beginTries, map[string]any{
		"step": "begin", "request": request, "name": name, "execution": "arn:faults:" + name,
	})
	if err != nil {
		return now, fmt.Errorf("begin: %w", err)
	}
	for segment := 0; err == nil && now.Next != turn.End; segment++ {
		now.Beat, now.Budget, now.Segment = 0, budget, fmt.Sprintf("arn:faults:%s:%d", name, segment)
		now, err = m.segment(ctx, now)
	}
	return now, err
}

func (m *Machine) segment(ctx context.Context, now turn.Turn) (turn.Turn, error) {
	segment := now.Segment
	for {
		now.Segment = segment
		beaten, err := call[turn.Turn](ctx, m.Governor, beatTries, now)
		if err != nil {
			return now, fmt.Errorf("beat %d: %w", now.Beat, err)
		}
		now = beaten
		switch now.Next {
		case turn.Segment, turn.End:
			return now, nil
		case turn.Plan:
			now, err = call[turn.Turn](ctx, m.Planner, planTries, map[string]any{"step": "plan", "run": now.Run, "beat": now.Beat, "budget": now.Budget})
			if err != nil || now.Next == turn.End {
				return now, err
			}
		case turn.Beat:
		default:
			return now, fmt.Errorf("the governor answered next %q", now.Next)
		}
		if err := rest(ctx, m.Pause); err != nil {
			return now, err
		}
	}
}

// retried are the names on which the state machines try again.
var retried = []string{string(failure.Transient), string(failure.Unknown), host.Exited, host.TimedOut}

// Ask has control answer, however often it takes: as a person would, who runs a command again.
func Ask(ctx context.Context, control Function, input any) error {
	_, err := call[json.RawMessage](ctx, control, math.MaxInt, input)
	return err
}

func call[Out any](ctx context.Context, function Function, tries int, input any) (out Out, err error) {
	payload, err := json.Marshal(input)
	if err != nil {
		return out, err
	}
	wait := firstWait
	for try := 1; ; try++ {
		answer, err := function.Invoke(ctx, payload)
		var failed *host.Failure
		if err == nil {
			return out, json.Unmarshal(answer, &out)
		}
		if !errors.As(err, &failed) || !slices.Contains(retried, failed.Type) || try == tries {
			return out, fmt.Errorf("try %d: %w", try, err)
		}
		if err := rest(ctx, wait); err != nil {
			return out, err
		}
		wait = min(2*wait, longestWait)
	}
}

func rest(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
