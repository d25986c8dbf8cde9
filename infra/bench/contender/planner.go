package contender

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"backfill/infra/bench/ground"
	"backfill/internal/boundary"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/planner"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/review"
	"backfill/internal/run"
)

// plan makes the contender that is the product's planner: first its cuts alone, as its function makes them; then the whole of a
// start, without DynamoDB and SQS.
func plan(ctx context.Context, table *ground.Table) ([]Leg, error) {
	p := &planning{hands: newHands(table, true, 0)}
	if err := p.migrate(ctx); err != nil {
		return nil, err
	}
	session := p.session()
	defer session.Drop()
	found, err := review.Reviewer{Session: session, Inline: true}.Review(ctx, review.Subject{Definition: p.definition})
	p.found = found
	notes := func(context.Context) (Notes, error) { return Notes{First: p.first.Seconds()}, nil }
	return []Leg{{Name: Cut, Work: p.cut, Same: true, Back: true}, {Name: Start, Work: p.start, Notes: notes, Same: true, Back: true}}, err
}

type planning struct {
	*hands
	found review.Finding
	first time.Duration // from a start to its first page at the queue
}

// cut goes through the table.
func (p *planning) cut(ctx context.Context) error {
	session := p.session()
	defer session.Drop()
	return cuts(ctx, session, p.found, func([]keyset.Range) error { return nil })
}

// cuts goes through a table as the planner does: in windows that double from 2 chunks, each a transaction of its own.
func cuts(ctx context.Context, session *postgres.Session, found review.Finding, take func([]keyset.Range) error) error {
	conn, err := session.Conn(ctx)
	if err != nil {
		return err
	}
	var from keyset.Point
	for size := 2; ; size = min(size*2, window) {
		cut, err := boundary.Cut(ctx, conn, found.Change, from, found.Bound, size)
		if err == nil {
			err = take(cut.Ranges)
		}
		if err != nil || cut.Closed {
			return err
		}
		from = cut.Ranges[len(cut.Ranges)-1].Hi
	}
}

// start has the planner begin a run, and plan all of it.
func (p *planning) start(ctx context.Context) error {
	session := p.session()
	defer session.Drop()
	request, err := json.Marshal(map[string]string{"action": "start", "definition": p.definition})
	if err != nil {
		return err
	}
	aws := &shelf{begun: time.Now()}
	id := fmt.Sprintf("bench-%d", aws.begun.UnixNano())
	ours := planner.Planner{
		Session: session, Ledger: ledger.New(session, terms), Records: aws, Dispatcher: aws,
		Reviewer: review.Reviewer{Session: session, Inline: true}, LookAhead: everything,
	}
	_, err = ours.Handle(ctx, planner.Call{Step: "begin", Request: request, Name: id, Execution: id})
	p.first = aws.first
	return err
}

// shelf takes the place of DynamoDB and of the queue, without their time. What a start does not call is not there.
type shelf struct {
	planner.Records
	planner.Dispatcher

	begun time.Time
	first time.Duration // until a page came to the queue
	plan  records.Plan
}

func (*shelf) CreateRun(context.Context, run.Status, string) error       { return nil }
func (*shelf) SetState(context.Context, string, run.State, string) error { return nil }
func (*shelf) Checkpoints(context.Context, []records.Checkpoint) error   { return nil }
func (*shelf) SendOutbox(context.Context, string) ([]int64, error)       { return nil, nil }

func (s *shelf) Run(context.Context, string) (records.Record, error) {
	return records.Record{Plan: s.plan}, nil
}

func (s *shelf) CommitPage(_ context.Context, page records.Page) error {
	planned := page.After + int64(len(page.Chunks))
	s.plan = records.Plan{Planned: planned, Cursor: page.Chunks[len(page.Chunks)-1].Range.Hi, Closed: page.Closed}
	return nil
}

func (s *shelf) SendPage(context.Context, records.Page) error {
	if s.first == 0 {
		s.first = time.Since(s.begun)
	}
	return nil
}
