package control

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/records"
)

const (
	// mostChunks bounds an answer.
	mostChunks = 1000
	// mostRecords is what DynamoDB reads at once.
	mostRecords = 100
)

// ChunkPage is the input of chunks. Limit is 1 to 1000; 0 means 100.
type ChunkPage struct {
	Action string      `json:"action"`
	Run    string      `json:"run"`
	State  chunk.State `json:"state,omitempty"` // "": any
	Limit  int64       `json:"limit,omitempty"`
	After  int64       `json:"after,omitempty"` // the number of the chunk after which the page begins
}

// ChunkList is the answer, in the order of the chunks.
type ChunkList struct {
	Chunks []ledger.Listed `json:"chunks"`
	Next   int64           `json:"next,omitempty"` // what After is for the page that follows; 0: this is the last
}

// Plan is what is read of chunks that no worker has claimed: Postgres does not know them yet.
type Plan interface {
	Run(ctx context.Context, id string) (records.Record, error)
	Chunks(ctx context.Context, id string, numbers []int64) ([]records.Checkpoint, error)
}

// chunks lists the chunks of a run: what Postgres knows of them, and the boundaries of those that are only planned.
func (c *Control) chunks(ctx context.Context, input json.RawMessage) (any, error) {
	page := ChunkPage{}
	if err := decode(input, &page); err != nil {
		return nil, err
	}
	if page.Limit == 0 {
		page.Limit = 100
	}
	if page.Run == "" || page.Limit < 1 || page.Limit > mostChunks || page.After < 0 {
		return nil, failure.New(failure.Invalid, `give "run", a "limit" within 1 to %d, and "after" from 0`, mostChunks)
	}
	if page.State != "" && !slices.Contains(chunk.States(), page.State) {
		return nil, failure.New(failure.Invalid, "state %q is not known; one of %v", page.State, chunk.States())
	}
	if _, err := c.run(ctx, page.Run); err != nil {
		return nil, err
	}
	found, err := c.find(ctx, page)
	if err == nil {
		err = c.bound(ctx, page.Run, found)
	}
	return fill(found, page.Limit), err
}

// find reads one chunk more than the page has, to tell whether another page follows.
func (c *Control) find(ctx context.Context, page ChunkPage) ([]ledger.Listed, error) {
	record, err := c.Records.Run(ctx, page.Run)
	if err != nil && !errors.Is(err, records.ErrNotFound) { // one that is gone: what Postgres knows is listed
		return nil, err
	}
	return c.Ledger.List(ctx, page.Run, ledger.Listing{
		After: page.After, State: page.State, Planned: record.Plan.Planned, Limit: page.Limit + 1,
	})
}

// fill takes chunks until the page is full, and notes then where the next one begins.
func fill(found []ledger.Listed, limit int64) ChunkList {
	answer, size := ChunkList{Chunks: []ledger.Listed{}}, 0
	for _, one := range found {
		encoded, _ := json.Marshal(one) // texts, numbers and a time: there is nothing that cannot be encoded
		size += len(encoded)
		if listed := int64(len(answer.Chunks)); listed == limit || listed > 0 && size > mostBytes {
			answer.Next = answer.Chunks[listed-1].Chunk
			break
		}
		answer.Chunks = append(answer.Chunks, one)
	}
	return answer
}

// bound puts in the boundaries of chunks that Postgres does not know. A record that was lost leaves them out.
func (c *Control) bound(ctx context.Context, id string, chunks []ledger.Listed) error {
	var unknown []int64
	for _, one := range chunks {
		if one.Hi == nil {
			unknown = append(unknown, one.Chunk)
		}
	}
	ranges := map[int64]keyset.Range{}
	for numbers := range slices.Chunk(unknown, mostRecords) {
		planned, err := c.Records.Chunks(ctx, id, numbers)
		if err != nil {
			return err
		}
		for _, p := range planned {
			ranges[p.Chunk] = p.Range
		}
	}
	for i, one := range chunks {
		if r, planned := ranges[one.Chunk]; planned {
			chunks[i].Lo, chunks[i].Hi = r.Lo, r.Hi
		}
	}
	return nil
}
