package control

import (
	"context"
	"encoding/json"
)

// sweep removes undo that was kept long enough, and has the records say so. A schedule of the stack asks for it.
func (c *Control) sweep(ctx context.Context, input json.RawMessage) (any, error) {
	var asked struct {
		Action string `json:"action"`
	}
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	return c.Ledger.Sweep(ctx, c.UndoRetention, c.Records.NoteSweep)
}
