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

// Ledger lists the chunks that no worker has claimed, and keeps the log of a run.
type Ledger interface {
	Unclaimed(ctx context.Context, id string, planned int64, limit int) ([]int64, error)
	Note(ctx context.Context, id, what string, chunks []int64) error
}

// Dispatcher sends.
type Dispatcher interface {
	SendOutbox(ctx context.Context, id string) ([]int64, error)
	SendAgain(ctx context.Context, id string, again []ledger.Again) (int, error)
	SendUnclaimed(ctx context.Context, id string, numbers []int64, olderThan time.Time) ([]int64, error)
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
	sent, err := r.dispatcher.SendOutbox(ctx, id)
	if err := r.note(ctx, id, ledger.LeftBehind, sent); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("send what the planner of run %s left behind: %w", id, err)
	}
	return r.lost(ctx, id, planned, progress)
}

// lost sends what nobody has claimed for too long.
func (r *Repairer) lost(ctx context.Context, id string, planned int64, progress ledger.Progress) error {
	numbers, err := r.ledger.Unclaimed(ctx, id, planned, most)
	if err != nil {
		return err
	}
	lost, what := r.now().Add(-ledger.Lost), fmt.Sprintf("sent again: unclaimed for %.0f min, so the message was lost", ledger.Lost.Minutes())
	if progress.Idle && !progress.Stalled() { // whoever has not come in five minutes will not come in the next 30 s
		lost, what = r.now().Add(-ledger.LostIdle), "sent again: unclaimed while no worker was at work"
	}
	if progress.ResumedAt.After(lost) { // no loss: that the run stood still is in its log
		lost, what = progress.ResumedAt, ""
	}
	sent, err := r.dispatcher.SendUnclaimed(ctx, id, numbers, lost)
	if err := r.note(ctx, id, what, sent); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("send unclaimed chunks of run %s: %w", id, err)
	}
	return nil
}

// note tells of a repair, in the log of the function and in that of the run. The queue has the messages by then: a crash in
// between loses a line, and no chunk.
func (r *Repairer) note(ctx context.Context, id, what string, chunks []int64) error {
	if len(chunks) == 0 || what == "" {
		return nil
	}
	slog.WarnContext(ctx, "repaired", "run", id, "chunks", len(chunks), "first", chunks[0], "what", what)
	return r.ledger.Note(ctx, id, what, chunks)
}
