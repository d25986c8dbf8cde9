package planner

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/scope"
)

// noMatch is the reason of a chunk that is COMPLETED without a worker.
const noMatch = "no row matched where when it was planned"

// skipper leaves out the chunks of a plan that have no row in scope.
type skipper struct {
	planner *Planner
	stored  ledger.Run
	gaveUp  bool // for this invocation: Postgres had no answer, and would have none for the next page
}

// skip completes the chunks of a committed page in which no row matches, and gives the page without them. The page is in
// the outbox until it was sent: whoever finds it there sends all of it, and workers find the skipped chunks done. The
// ledger comes before the copies, as with a worker.
func (s *skipper) skip(ctx context.Context, page records.Page, keys []int64) (records.Page, error) {
	entries, err := s.empty(ctx, page, keys)
	if err != nil {
		return page, err
	}
	skipped, err := s.planner.Ledger.Skip(ctx, page.Run, entries)
	if err != nil {
		return page, err
	}
	entries = slices.DeleteFunc(entries, func(e ledger.Entry) bool { return !slices.Contains(skipped, e.Chunk) })
	checkpoints := make([]records.Checkpoint, len(entries))
	for i, e := range entries {
		checkpoints[i] = rebuild.Copy(page.Run, e)
	}
	page.Chunks = slices.DeleteFunc(slices.Clone(page.Chunks), func(c chunk.Chunk) bool { return slices.Contains(skipped, c.Number) })
	return page, s.planner.Records.Checkpoints(ctx, checkpoints)
}

// empty finds the chunks in which no row matches. What they scanned are their keys, as a worker would have counted them:
// the walk has passed each, and progress, the estimated end and the size of a chunk are reckoned in keys.
func (s *skipper) empty(ctx context.Context, page records.Page, keys []int64) ([]ledger.Entry, error) {
	if s.gaveUp || s.stored.Change.Where == "" || s.stored.Change.Join != nil { // where may read the joined rows
		return nil, nil
	}
	conn, err := s.planner.Session.Conn(ctx)
	if err != nil {
		return nil, err
	}
	ranges := make([]keyset.Range, len(page.Chunks))
	for i, c := range page.Chunks {
		ranges[i] = c.Range
	}
	empty, err := scope.Empty(ctx, conn, s.stored.Change, ranges)
	if errors.Is(err, scope.ErrNoAnswer) {
		s.gaveUp = true
		slog.WarnContext(ctx, "every chunk is sent", "run", page.Run, "class", failure.Of(err), "error", failure.Safe(err))
		return nil, nil
	}
	var entries []ledger.Entry
	for i, none := range empty {
		if none {
			entries = append(entries, ledger.Entry{Chunk: page.Chunks[i].Number, State: chunk.Completed, Scanned: keys[i], Reason: noMatch,
				Range: page.Chunks[i].Range})
		}
	}
	return entries, err
}
