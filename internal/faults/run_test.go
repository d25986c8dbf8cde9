package faults

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// patience bounds a run under faults.
const patience = 100 * time.Second

var names atomic.Int64

// unique gives a name that no other test, and no earlier run of the tests, has used.
func unique(prefix string) string {
	return fmt.Sprintf("%s_%x_%d", prefix, time.Now().UnixNano(), names.Add(1))
}

// work is what a run is asked for, and what must be true when it has ended.
type work interface {
	request() map[string]any
	check(t *testing.T, db pgtest.Database, id string)
}

// attempt is a run that goes on.
type attempt struct {
	stack *stack
	id    string
	stop  context.CancelFunc
	last  turn.Turn // when it has ended
	err   error
	ended chan struct{}
	lanes chan struct{}
}

// start begins a run of the work.
func (s *stack) start(t *testing.T, w work) *attempt {
	t.Helper()
	return s.begin(t, w, patience)
}

func (s *stack) begin(t *testing.T, w work, within time.Duration) *attempt {
	t.Helper()
	parent, lose := context.WithCancelCause(context.Background())
	ctx, cancel := context.WithTimeout(parent, within)
	t.Cleanup(cancel)
	a := &attempt{stack: s, id: unique("run"), stop: cancel, ended: make(chan struct{}), lanes: make(chan struct{})}
	go func() {
		s.lanes.Serve(ctx, lose)
		close(a.lanes)
	}()
	go func() {
		a.last, a.err = s.machine.Run(ctx, a.id, w.request())
		close(a.ended)
	}()
	return a
}

// completes waits for the end of the run and demands that it COMPLETED, everywhere, and that the work was done.
func (a *attempt) completes(t *testing.T, w work) {
	t.Helper()
	<-a.ended
	a.stop()
	<-a.lanes
	if a.err != nil || a.last.State != run.Completed {
		t.Fatalf("run %s ended as %s (%s): %v", a.id, a.last.State, a.last.Reason, a.err)
	}
	w.check(t, a.stack.db, a.id)
	a.stack.agrees(t, a.id)
}

// agrees demands that DynamoDB's copies say what Postgres says, and that nothing is left to be sent.
func (s *stack) agrees(t *testing.T, id string) {
	t.Helper()
	record, err := s.records.Run(t.Context(), id)
	must(t, err)
	left, err := s.records.Outbox(t.Context(), id)
	must(t, err)
	if record.Status.State != run.Completed || len(left) > 0 {
		t.Fatalf("the record of run %s is %s, %d pages are unsent", id, record.Status.State, len(left))
	}
	must(t, s.records.EachChunk(t.Context(), id, s.agreeing(t, id)))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
