package rebuild

import (
	"context"

	"backfill/internal/boundary"
	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
)

// fill plans the ranges that nobody knows any more: chunks that were planned and not claimed when their records were
// lost. It tells how many ranges.
func (r Rebuilder) fill(ctx context.Context, stored ledger.Run) (int, error) {
	gaps, err := r.Ledger.Gaps(ctx, stored.Run)
	if err != nil {
		return 0, err
	}
	conn, err := r.Session.Conn(ctx)
	if err != nil {
		return 0, err
	}
	for _, gap := range gaps {
		numbers := int(gap.Before - gap.After - 1)
		window, err := boundary.Split(ctx, conn, stored.Change, gap.Range, numbers)
		if err != nil {
			return 0, err
		}
		if err := r.Ledger.Fill(ctx, stored.Run, assign(gap, window.Ranges, stored.Change.Order)); err != nil {
			return 0, err
		}
	}
	return len(gaps), nil
}

// assign gives the ranges of a gap the numbers that are missing. Keys that came since are part of the last range; a
// number that is left over gets a range without keys, so that numbers and ranges stay without holes.
func assign(gap ledger.Gap, ranges []keyset.Range, order keyset.Order) []ledger.Entry {
	entries := make([]ledger.Entry, 0, gap.Before-gap.After-1)
	if len(ranges) == 0 {
		ranges = []keyset.Range{gap.Range}
	}
	end := order.Behind(gap.Range)
	if last := &ranges[len(ranges)-1]; order == keyset.Descending {
		last.Lo = end
	} else {
		last.Hi = end
	}
	for number := gap.After + 1; number < gap.Before; number++ {
		entry := ledger.Entry{Chunk: number, State: chunk.Completed, Range: keyset.Range{Lo: end, Hi: end}}
		if i := int(number - gap.After - 1); i < len(ranges) {
			entry.State, entry.Range = chunk.Pending, ranges[i]
		}
		entries = append(entries, entry)
	}
	return entries
}
