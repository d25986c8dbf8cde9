package control

import (
	"context"
	"encoding/json"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/run"
)

// Certified is the answer to certificate.
type Certified struct {
	Run         string          `json:"run"`
	Certificate run.Certificate `json:"certificate"`
	Chunks      []ledger.Digest `json:"chunks"`         // that were looked at; none where rows are not verified by value
	Next        int64           `json:"next,omitempty"` // what After is for the page that follows; 0: this is the last
}

// certificate shows what the last verification of a run has found, chunk by chunk.
func (c *Control) certificate(ctx context.Context, input json.RawMessage) (any, error) {
	page, stored, err := c.page(ctx, input)
	if err != nil {
		return nil, err
	}
	progress, err := c.Ledger.Look(ctx, stored.Run)
	if err != nil {
		return nil, err
	}
	if progress.Certified == nil {
		return nil, failure.New(failure.Invalid, "run %s has no certificate: it was not verified since it was done, or that did not come to its end; `backfill verify %s`", stored.Run, stored.Run)
	}
	answer := Certified{Run: stored.Run, Certificate: *progress.Certified}
	answer.Chunks, err = c.Ledger.Digests(ctx, stored.Run, page.After, page.Limit+1)
	if err != nil {
		return nil, err
	}
	if int64(len(answer.Chunks)) > page.Limit {
		answer.Chunks = answer.Chunks[:page.Limit]
		answer.Next = answer.Chunks[page.Limit-1].Chunk
	}
	return answer, nil
}
