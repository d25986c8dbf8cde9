package control

import (
	"context"
	"encoding/json"

	"backfill/internal/ledger"
)

// Rejects is the answer to rejects. The messages are read from Postgres for it, and stored nowhere else.
type Rejects struct {
	Rejects []ledger.Rejected `json:"rejects"`
	Next    int64             `json:"next,omitempty"` // what After is for the page that follows; 0: this is the last
}

// rejects lists the rows that a run passed over.
func (c *Control) rejects(ctx context.Context, input json.RawMessage) (any, error) {
	page, stored, err := c.page(ctx, input)
	if err != nil {
		return nil, err
	}
	answer := Rejects{Rejects: []ledger.Rejected{}}
	err = c.Ledger.Rejects(ctx, stored, page.After, page.Limit+1, fills(page, &answer.Rejects, &answer.Next))
	return answer, err
}
