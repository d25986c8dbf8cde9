package governor

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/definition"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/turn"
	"backfill/internal/window"
)

// pause goes on with a pause, or ends one whose window has opened. Once the run is PAUSED it is sampled again: nobody
// reports on it until the pause is over.
func (b *beat) pause(ctx context.Context, p ledger.Progress) (turn.Next, error) {
	id := b.record.Status.Run
	if p.PausedFor == run.ForWindow {
		windows, err := b.governor.windowsOf(ctx, id)
		if err != nil {
			return "", err
		}
		if p.Within(windows) {
			_, err := b.governor.Pauser.Open(ctx, id)
			return "", err
		}
	}
	state, err := b.governor.Pauser.Rest(ctx, id)
	if err != nil || state != run.Paused {
		return "", err
	}
	_, _, err = b.sample(ctx)
	return turn.Pause, err
}

// within tells whether the run may work now. If not it is paused until its next window. A rollback is somebody's word, and
// knows no windows.
func (b *beat) within(ctx context.Context, p ledger.Progress) (bool, error) {
	id := b.record.Status.Run
	windows, err := b.governor.windowsOf(ctx, id)
	if err != nil || p.Within(windows) {
		return true, err
	}
	next := windows.Next(p.Now)
	reason := "outside of its windows; the next one opens at " + next.Format("2006-01-02 15:04 MST")
	if _, err := b.governor.Pauser.PauseUntil(ctx, id, reason, next); err != nil {
		return false, fmt.Errorf("pause run %s until its next window: %w", id, err)
	}
	return false, nil
}

// wait is how long the state machine waits for a word, in seconds. A second more than to the next window: the two clocks
// differ.
func (b *beat) wait() int64 {
	pause := b.record.Status.Pause
	if pause == nil || pause.Until == nil {
		return turn.Longest
	}
	left := int64(pause.Until.Sub(b.record.Status.UpdatedAt)/time.Second) + 1
	return min(max(left, 1), turn.Longest)
}

// windowsOf are the windows of a run. They never change, so they are read once per environment.
func (g *Governor) windowsOf(ctx context.Context, id string) (window.Windows, error) {
	if known, ok := g.windows[id]; ok {
		return known, nil
	}
	stored, err := g.Ledger.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	if g.windows == nil {
		g.windows = map[string]window.Windows{}
	}
	g.windows[id] = definition.WindowsOf(stored.Definition)
	return g.windows[id], nil
}
