package faults

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"

	"backfill/internal/faults/pipeline"
	"backfill/internal/pgtest"
)

// interruptions are the ways in which a person ends an execution.
var interruptions = []func(*attempt, *testing.T){(*attempt).cancels, (*attempt).stops}

// middle is when a step is interrupted, and how.
type middle struct {
	reached   <-chan struct{} // nil: it is not
	interrupt func(*attempt, *testing.T)
}

// fewBatches of a run are sure to come before it has ended; twice as many where it goes in passes, which make more.
const fewBatches = 20

// inTheMiddle chooses; for each step, so that the same seed chooses the same.
func (l *life) inTheMiddle(s step) middle {
	most := fewBatches
	if l.of.chunkRows == striped {
		most *= 2
	}
	batches := 1 + l.random.IntN(most)
	m := middle{reached: l.counting(int64(batches)), interrupt: interruptions[l.random.IntN(len(interruptions))]}
	if !s.interrupted {
		m.reached = nil
	}
	return m
}

// counting tells when so many batches were sent.
func (l *life) counting(batches int64) <-chan struct{} {
	reached, sent := make(chan struct{}), before(worker, advance, 0)
	var seen atomic.Int64
	l.stack.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
		if sent.meetsMessage(d, m) && seen.Add(1) == batches {
			close(reached)
		}
		return l.havoc.message(d, m)
	})
	return reached
}

// attend crashes Postgres when it is told to, and interrupts the execution in the middle, until it has ended.
func (l *life) attend(t *testing.T, a *attempt, m middle) {
	t.Helper()
	for {
		select {
		case <-l.havoc.crash:
			l.cluster.Crash()
			l.cluster.Start(t)
			l.counts["crashes"]++
		case <-m.reached:
			m.reached = nil
			m.interrupt(a, t)
		case <-a.ended:
			return
		}
	}
}

// cancels has a person cancel the run.
func (a *attempt) cancels(t *testing.T) {
	t.Helper()
	a.asks(t, map[string]any{"action": "cancel", "run": a.id})
}

// stops has a person stop the execution: it makes no further call, and EventBridge tells control.
func (a *attempt) stops(t *testing.T) {
	t.Helper()
	a.halt()
	<-a.ended
	a.stopped = true
	input, err := json.Marshal(a.work.request())
	must(t, err)
	a.asks(t, map[string]any{"detail-type": "Step Functions Execution Status Change", "detail": map[string]any{
		"executionArn": "arn:faults:" + a.name, "name": a.name, "status": "ABORTED", "input": string(input)}})
}

func (a *attempt) asks(t *testing.T, input any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), round)
	defer cancel()
	if err := pipeline.Ask(ctx, a.stack.control, input); err != nil {
		t.Fatalf("ask control for %v: %v", input, err)
	}
}
