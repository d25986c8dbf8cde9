package planner

import (
	"context"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/records"
)

// hold leaves the chunks of a page to be sent that are of the canary of the run, and notes the others as held. A planner that dies before has the
// page in the outbox: whoever sends it there sends all of it, and the ledger holds what a worker may not begin with.
func (p *Planner) hold(ctx context.Context, stored ledger.Run, page records.Page, keys []int64) (records.Page, error) {
	if stored.Canary == 0 {
		return page, nil
	}
	var sent []chunk.Chunk
	var held []ledger.Entry
	for _, c := range page.Chunks {
		if chunk.Chosen(c.Number, stored.Canary) {
			sent = append(sent, c)
			continue
		}
		held = append(held, ledger.Entry{Chunk: c.Number, Range: c.Range, Scanned: keys[c.Number-page.After-1]})
	}
	page.Chunks = sent
	return page, p.Ledger.HoldBack(ctx, page.Run, held)
}
