package steered

import (
	"context"
	"fmt"
	"sync"

	"backfill/internal/chunk"
	"backfill/internal/governor"
	"backfill/internal/ledger"
	"backfill/internal/planner"
	"backfill/internal/records"
	"backfill/internal/run"
)

// shelf takes the place of DynamoDB and of the queue. What such a run does not call is not there.
type shelf struct {
	planner.Records
	planner.Dispatcher
	governor.Completer

	queue  chan chunk.Message
	report func(run.Status)
	ledger *ledger.Ledger
	mutex  sync.Mutex
	record records.Record
}

func (s *shelf) CreateRun(_ context.Context, status run.Status, _ string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.record.Status = status
	return nil
}

func (s *shelf) SetState(_ context.Context, _ string, to run.State, reason string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.record.Status.State, s.record.Status.Reason = to, reason
	return nil
}

func (s *shelf) Run(context.Context, string) (records.Record, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.record, nil
}

func (s *shelf) CommitPage(_ context.Context, page records.Page) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.record.Plan = records.Plan{
		Planned: page.After + int64(len(page.Chunks)), Cursor: page.Chunks[len(page.Chunks)-1].Range.Hi, Closed: page.Closed,
	}
	return nil
}

func (s *shelf) SaveProgress(_ context.Context, status run.Status, beats int64) error {
	s.mutex.Lock()
	s.record.Status, s.record.Beats = status, beats
	s.mutex.Unlock()
	s.report(status)
	return nil
}

func (*shelf) SetSegment(context.Context, string, string) error { return nil }

func (*shelf) Drain(context.Context) error { return nil }

func (*shelf) SendOutbox(context.Context, string) ([]int64, error) { return nil, nil }

func (*shelf) Checkpoints(context.Context, []records.Checkpoint) error { return nil }

func (s *shelf) SendPage(_ context.Context, page records.Page) error {
	for _, c := range page.Chunks {
		s.queue <- c.Message(1)
	}
	return nil
}

// Again sends what was given back, and notes it.
func (s *shelf) Again(ctx context.Context, id string, again []ledger.Again) error {
	if len(again) == 0 {
		return nil
	}
	for _, a := range again {
		s.queue <- chunk.Message{Run: id, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send}
	}
	return s.ledger.Sent(ctx, id, again)
}

// Unclaimed has nothing to do: no message is lost here.
func (*shelf) Unclaimed(context.Context, string, int64, ledger.Progress) error { return nil }

// Complete ends a run by what Postgres says, as completion does.
func (s *shelf) Complete(ctx context.Context, id string, planned int64) (bool, error) {
	tiling, err := s.ledger.Tiling(ctx, id)
	if err != nil {
		return false, err
	}
	if !tiling.Complete(planned) {
		return false, fmt.Errorf("run %s: its finished chunks do not tile the key space", id)
	}
	return s.ledger.Move(ctx, id, run.Running, run.Completed)
}

// nowhere takes the copies that would go to DynamoDB.
type nowhere struct{}

func (nowhere) Checkpoint(context.Context, records.Checkpoint) error { return nil }
