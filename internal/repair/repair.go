// Package repair finds chunks that should be at a worker and are not, and has them sent.
//
// It owns what counts as lost: a page whose planner died between its commit and its send, a chunk that was given
// back, a lease that ran out, a message that never arrived. It leaves sending to dispatch. Invariant: it may send
// too often, never too seldom; the ledger refuses what is too much.
package repair

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"backfill/internal/dispatch"
	"backfill/internal/ledger"
)

const (
	// Lost is the age at which a message that no worker has claimed counts as lost. Only then is it sent again, so
	// that a queue that is merely long does not fill with copies.
	Lost = 5 * time.Minute
	// every is how often the chunks that nobody has claimed are listed; the others are seen with each sample.
	every = 30 * time.Second
	// most bounds what one repair sends.
	most = 200
)

// Ledger lists the chunks that no worker has claimed.
type Ledger interface {
	Unclaimed(ctx context.Context, id string, planned int64, limit int) ([]int64, error)
}

// Dispatcher sends.
type Dispatcher interface {
	SendOutbox(ctx context.Context, id string) (int, error)
	SendAgain(ctx context.Context, id string, again []dispatch.Again, olderThan time.Time) (int, error)
}

// Repairer repairs runs.
type Repairer struct {
	ledger     Ledger
	dispatcher Dispatcher
	now        func() time.Time
	looked     map[string]time.Time
}

// New makes a repairer.
func New(entries Ledger, dispatcher Dispatcher, now func() time.Time) *Repairer {
	return &Repairer{ledger: entries, dispatcher: dispatcher, now: now, looked: map[string]time.Time{}}
}

// Repair sends what the ledger says has to be sent again, and from time to time what nobody has claimed.
func (r *Repairer) Repair(ctx context.Context, id string, planned int64, again []ledger.Again) error {
	lost := r.now().Add(-Lost)
	if err := r.again(ctx, id, again, lost); err != nil {
		return err
	}
	if r.now().Sub(r.looked[id]) < every {
		return nil
	}
	r.looked[id] = r.now()
	if sent, err := r.dispatcher.SendOutbox(ctx, id); err != nil {
		return fmt.Errorf("send what the planner of run %s left behind: %w", id, err)
	} else if sent > 0 {
		slog.WarnContext(ctx, "sent what a planner left behind", "run", id, "chunks", sent)
	}
	return r.unclaimed(ctx, id, planned, lost)
}

func (r *Repairer) again(ctx context.Context, id string, entries []ledger.Again, lost time.Time) error {
	if len(entries) == 0 {
		return nil
	}
	batch := make([]dispatch.Again, 0, len(entries))
	for _, entry := range entries[:min(len(entries), most)] {
		batch = append(batch, dispatch.Again{Chunk: entry.Chunk, Spent: entry.Spent})
	}
	sent, err := r.dispatcher.SendAgain(ctx, id, batch, lost)
	if err != nil {
		return fmt.Errorf("send chunks of run %s again: %w", id, err)
	}
	if sent > 0 {
		slog.InfoContext(ctx, "sent again", "run", id, "chunks", sent, "first", entries[0].Chunk, "why", entries[0].Why)
	}
	return nil
}

// unclaimed sends chunks whose message is older than Lost and was never claimed.
func (r *Repairer) unclaimed(ctx context.Context, id string, planned int64, lost time.Time) error {
	numbers, err := r.ledger.Unclaimed(ctx, id, planned, most)
	if err != nil {
		return err
	}
	batch := make([]dispatch.Again, len(numbers))
	for i, number := range numbers {
		batch[i] = dispatch.Again{Chunk: number}
	}
	sent, err := r.dispatcher.SendAgain(ctx, id, batch, lost)
	if err != nil {
		return fmt.Errorf("send unclaimed chunks of run %s: %w", id, err)
	}
	if sent > 0 {
		slog.WarnContext(ctx, "messages were lost; sent again", "run", id, "chunks", sent)
	}
	return nil
}
