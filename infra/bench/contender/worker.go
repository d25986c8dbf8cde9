package contender

import (
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/ground"
	"backfill/internal/boundary"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/review"
	"backfill/internal/run"
)

// hands is the number of workers: what two cores, with Postgres on them, can take.
const hands = 2

// alone makes the contender that is one worker: what a database with users to serve would be given first.
func alone(ctx context.Context, table *ground.Table) ([]Leg, error) {
	d := &direct{url: table.URL, definition: table.Task.Definition(true), hands: 1}
	return []Leg{{Name: Alone, Work: d.forward}}, d.migrate(ctx)
}

// workers makes the contender that is the product's code without what is around it: no Lambda, no queue, no DynamoDB.
func workers(undo bool) func(context.Context, *ground.Table) ([]Leg, error) {
	return func(ctx context.Context, table *ground.Table) ([]Leg, error) {
		d := &direct{url: table.URL, definition: table.Task.Definition(undo), hands: hands}
		if err := d.migrate(ctx); err != nil {
			return nil, err
		}
		if undo {
			notes := func(ctx context.Context) (Notes, error) { return undoOf(ctx, table.Conn, d.run) }
			return []Leg{{Name: Undo, Work: d.forward, Notes: notes}, {Name: Rollback, Work: d.back, Back: true}}, nil
		}
		return []Leg{{Name: Direct, Work: d.forward}, {Name: Again, Work: d.forward, Same: true}}, nil
	}
}

// terms are generous: there is no governor that would renew a heartbeat.
var terms = ledger.Terms{Lease: time.Minute, Heartbeat: 24 * time.Hour}

// direct plays planner and governor for the worker code.
type direct struct {
	url        string
	definition string
	hands      int    // workers
	run        string // the last one
}

func (d *direct) session() *postgres.Session {
	return postgres.NewSession(credentials.Fixed(d.url), "backfill bench").Prepare()
}

// migrate makes the product's schema, which a database has from its first run on.
func (d *direct) migrate(ctx context.Context) error {
	session := d.session()
	defer session.Drop()
	return ledger.New(session, terms).Migrate(ctx)
}

// forward plans the whole table and works through it.
func (d *direct) forward(ctx context.Context) error {
	session := d.session()
	defer session.Drop()
	entries := ledger.New(session, terms)
	found, err := review.Reviewer{Session: session, Inline: true}.Review(ctx, review.Subject{Definition: d.definition})
	if err != nil {
		return err
	}
	d.run = fmt.Sprintf("bench-%d", time.Now().UnixNano())
	_, err = entries.Open(ctx, ledger.Run{Run: d.run, Backfill: found.Backfill, Change: found.Change, Bound: found.Bound, Execution: d.run})
	if err != nil {
		return err
	}
	messages, err := d.plan(ctx, session, found)
	if err != nil {
		return err
	}
	if _, err := entries.Move(ctx, d.run, run.Planning, run.Running); err != nil {
		return err
	}
	if err := d.finish(ctx, entries, messages); err != nil {
		return err
	}
	_, err = entries.Move(ctx, d.run, run.Running, run.Completed)
	return err
}

func (d *direct) plan(ctx context.Context, session *postgres.Session, found review.Finding) ([]chunk.Message, error) {
	conn, err := session.Conn(ctx)
	if err != nil {
		return nil, err
	}
	window, err := boundary.Cut(ctx, conn, found.Change, nil, found.Bound, everything)
	messages := make([]chunk.Message, len(window.Ranges))
	for i, cut := range window.Ranges {
		messages[i] = chunk.Chunk{Run: d.run, Number: int64(i) + 1, Range: cut}.Message(1)
	}
	return messages, err
}

// everything is more chunks than any table of the benchmark has.
const everything = 1_000

// back rolls back what forward did.
func (d *direct) back(ctx context.Context) error {
	session := d.session()
	defer session.Drop()
	entries := ledger.New(session, terms)
	if _, err := entries.Reverse(ctx, d.run, d.run+"-back", nil); err != nil {
		return err
	}
	if err := d.finish(ctx, entries, nil); err != nil {
		return err
	}
	_, err := entries.Restored(ctx, d.run)
	return err
}
