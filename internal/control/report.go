package control

import (
	"context"
	"encoding/json"

	"backfill/internal/report"
)

// report tells what became of a run: everything in it is bounded, so the answer is below 256 KB and comes at once.
func (c *Control) report(ctx context.Context, input json.RawMessage) (any, error) {
	named, err := decodeNamed(input)
	if err != nil {
		return nil, err
	}
	if _, err := c.run(ctx, named.Run); err != nil {
		return nil, err
	}
	status, err := c.current(ctx, named.Run)
	if err != nil {
		return nil, err
	}
	facts, err := c.Ledger.Report(ctx, named.Run, status.Chunks.Total)
	if err != nil {
		return nil, err
	}
	return report.New(status, facts), nil
}
