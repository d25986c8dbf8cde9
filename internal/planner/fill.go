package planner

import (
	"context"
	"log/slog"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/definition"
	"backfill/internal/ledger"
	"backfill/internal/records"
)

const (
	// firstPage is small, so that the first chunk is at a worker at once; pages double from there.
	firstPage = 2
	// largestPage keeps a window's snapshot short: 16 chunks of 100,000 keys are walked in a fifth of a second, in
	// three seconds where the visibility map is cold.
	largestPage = 16
	// margin before the deadline of the function, for a page that is under way.
	margin = 20 * time.Second
	// longest is how long pages are planned at once where hardly a chunk needs a worker: the governor reports in between.
	longest = 30 * time.Second
)

// fill plans page after page until enough chunks wait for a worker, the bound is reached, or the run wants no more.
func (p *Planner) fill(ctx context.Context, stored ledger.Run) error {
	progress, record, err := p.agree(ctx, stored.Run)
	if err != nil {
		return err
	}
	windows := definition.WindowsOf(stored.Definition)
	if !progress.Within(windows) || progress.Writers > 0 {
		return nil // the next beat pauses the run, or waits
	}
	// What a planner before this one has committed and not sent comes first.
	sent, err := p.Dispatcher.SendOutbox(ctx, stored.Run)
	if err == nil && len(sent) > 0 {
		err = p.Ledger.Note(ctx, stored.Run, ledger.LeftBehind, sent)
	}
	if err != nil {
		return err
	}
	skipper := &skipper{planner: p, stored: stored}
	begun := time.Now()
	for size := firstPage; ; size = min(size*2, largestPage) {
		waiting, ahead := record.Plan.Planned-progress.Known+progress.Waiting, progress.Limits.LookAhead(p.LookAhead)
		if !progress.State.Works() || !progress.Within(windows) || record.Plan.Closed || waiting >= ahead || deadline.Remaining(ctx) < margin || time.Since(begun) > longest {
			return nil
		}
		page, keys, err := p.cut(ctx, stored, record, min(size, int(ahead-waiting)))
		if err != nil {
			return err
		}
		if err := p.Records.CommitPage(ctx, page); err != nil {
			return err
		}
		rest, err := skipper.skip(ctx, page, keys)
		if err != nil {
			return err
		}
		if rest, err = p.hold(ctx, stored, rest, keys); err != nil {
			return err
		}
		if err := p.Dispatcher.SendPage(ctx, rest); err != nil {
			return err
		}
		slog.InfoContext(ctx, "page planned", "run", stored.Run, "chunks", len(page.Chunks), "skipped", len(page.Chunks)-len(rest.Chunks),
			"planned", page.After+int64(len(page.Chunks)), "closed", page.Closed)
		if progress, record, err = p.look(ctx, stored.Run); err != nil {
			return err
		}
	}
}

// cut makes the next page, and tells how many keys each of its chunks has. An empty table has one page without chunks,
// which closes the plan.
func (p *Planner) cut(ctx context.Context, stored ledger.Run, record records.Record, size int) (records.Page, []int64, error) {
	page := records.Page{Run: stored.Run, After: record.Plan.Planned, Order: stored.Change.Order, Closed: stored.Bound == nil}
	if page.Closed {
		return page, nil, nil
	}
	conn, err := p.Session.Conn(ctx)
	if err != nil {
		return page, nil, err
	}
	window, err := boundary.Cut(ctx, conn, stored.Change, record.Plan.Cursor, stored.Bound, size)
	if err != nil {
		return page, nil, err
	}
	for i, cut := range window.Ranges {
		page.Chunks = append(page.Chunks, chunk.Chunk{Run: stored.Run, Number: page.After + int64(i) + 1, Range: cut})
	}
	page.Closed = window.Closed
	return page, window.Keys, nil
}
