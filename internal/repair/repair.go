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

	"backfill/internal/ledger"
)

const (
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
	SendAgain(ctx context.Context, id string, again []ledger.Again) (int, error)
	SendUnclaimed(ctx context.Context, id string, numbers []int64, olderThan time.Time) (int, error)
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

// Again sends what the ledger says has to be sent: with each sample.
func (r *Repairer) Again(ctx context.Context, id string, again []ledger.Again) error {
	sent, err := r.dispatcher.SendAgain(ctx, id, again)
	if err != nil {
		return err
	}
	if sent > 0 {
		slog.InfoContext(ctx, "sent again", "run", id, "chunks", sent, "first", again[0].Chunk, "why", again[0].Why)
	}
	return nil
}

// Unclaimed sends from time to time what nobody has claimed: pages whose planner died, messages that never arrived.
// Messages that were sent before the run was resumed count as lost: workers have consumed them while it was closed.
func (r *Repairer) Unclaimed(ctx context.Context, id string, planned int64, progress ledger.Progress) error {
	resumed := progress.ResumedAt
	if looked := r.looked[id]; r.now().Sub(looked) < every && !resumed.After(looked) {
		return nil
	}
	r.looked[id] = r.now()
	if sent, err := r.dispatcher.SendOutbox(ctx, id); err != nil {
		return fmt.Errorf("send what the planner of run %s left behind: %w", id, err)
	} else if sent > 0 {
		slog.WarnContext(ctx, "sent what a planner left behind", "run", id, "chunks", sent)
	}
	numbers, err := r.ledger.Unclaimed(ctx, id, planned, most)
	if err != nil {
		return err
	}
	lost := r.now().Add(-ledger.Lost)
	if progress.Idle {
		lost = r.now().Add(-ledger.LostIdle)
	}
	if resumed.After(lost) {
		lost = resumed
	}
	sent, err := r.dispatcher.SendUnclaimed(ctx, id, numbers, lost)
	if err != nil {
		return fmt.Errorf("send unclaimed chunks of run %s: %w", id, err)
	}
	if sent > 0 {
		slog.WarnContext(ctx, "messages were lost; sent again", "run", id, "chunks", sent)
	}
	return nil
}
