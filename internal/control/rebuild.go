package control

import (
	"context"
	"encoding/json"
)

// rebuild makes the records of a run again from Postgres.
func (c *Control) rebuild(ctx context.Context, input json.RawMessage) (any, error) {
	named, err := decodeNamed(input)
	if err != nil {
		return nil, err
	}
	return c.Rebuilder.Rebuild(ctx, named.Run)
}
