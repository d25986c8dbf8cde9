package control

import (
	"context"
	"encoding/json"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/statement"
)

// mostExcluded is how many rejected rows of a chunk a script leaves out.
const mostExcluded = 100

// Deviations is the answer to deviations: how a person finds the rows that do not hold what they should. No row was read for it.
type Deviations struct {
	Run       string      `json:"run"`
	Looked    int64       `json:"looked"`          // chunks of which every row was looked at
	Deviating int64       `json:"deviating"`       // rows of them that did not hold what they should
	Mended    int64       `json:"mended"`          // of them written again
	Unfit     string      `json:"unfit,omitempty"` // why no row of the run can be compared; "": each can
	Keys      string      `json:"keys,omitempty"`  // of all rows of such a run
	Left      string      `json:"left,omitempty"`  // SQL that lists rows in scope that a deletion has left
	Chunks    []Deviating `json:"chunks"`
	Next      int64       `json:"next,omitempty"` // what After is for the page that follows; 0: this is the last
}

// Deviating is a chunk with the SQL that lists the keys of its rows that deviate now, the first 100 of them.
type Deviating struct {
	ledger.Deviation
	Keys     string `json:"keys"`     // of the chunk, as people read them
	Rejected int    `json:"rejected"` // rows that the SQL leaves out, since rejects lists them
	Crowded  bool   `json:"crowded"`  // more are rejected than that, and none is left out
	SQL      string `json:"sql"`
}

// deviations gives the SQL that lists the rows of which a verification tells only how many they are.
func (c *Control) deviations(ctx context.Context, input json.RawMessage) (any, error) {
	page, stored, err := c.page(ctx, input)
	if err != nil {
		return nil, err
	}
	found, err := c.Ledger.Verified(ctx, stored.Run)
	if err != nil {
		return nil, err
	}
	path, err := c.Ledger.Path(ctx)
	if err != nil {
		return nil, err
	}
	answer := Deviations{Run: stored.Run, Looked: found.Chunks, Deviating: found.Deviating, Mended: found.Mended, Chunks: []Deviating{}}
	if values, why := stored.Change.Verifies(); !values {
		answer.unfit(stored, why, found.RolledBack, path)
		return answer, nil
	}
	if found.Chunks == 0 {
		return nil, unlooked(stored)
	}
	chunks, err := c.Ledger.Deviations(ctx, stored.Run, page.After, page.Limit+1, mostExcluded+1)
	if err == nil {
		answer.fill(stored, chunks, page.Limit, path)
	}
	return answer, err
}

// unlooked is the refusal where no row was looked at.
func unlooked(stored ledger.Run) error {
	switch stored.State {
	case run.RolledBack:
		return failure.New(failure.Invalid, "run %s is rolled back: none of its rows is to hold what it wrote", stored.Run)
	case run.Completed:
	default:
		return failure.New(failure.Invalid, "no row of run %s was looked at to the end of its chunk: it is %s, and only a run that is COMPLETED can be verified", stored.Run, stored.State)
	}
	return failure.New(failure.Invalid, "no row of run %s was looked at since it was done: `backfill verify %[1]s --no-write` counts first", stored.Run)
}

// unfit answers where no row can be compared. Of a deletion it can be asked which rows are left; those of a chunk that was rolled back are there again.
func (d *Deviations) unfit(stored ledger.Run, why string, rolledBack int64, path []string) {
	d.Unfit = why
	if stored.Bound == nil {
		return
	}
	d.Keys = statement.Within(stored.Change.Key, keyset.Range{Hi: stored.Bound})
	if verify := stored.Change.Verify; verify != nil && verify.Left && stored.State == run.Completed && rolledBack == 0 {
		d.Left = statement.Remaining(stored.Change, stored.Bound, path)
	}
}

// fill takes chunks until the page is full, and notes then where the next one begins.
func (d *Deviations) fill(stored ledger.Run, chunks []ledger.Deviation, limit int64, path []string) {
	size := 0
	for _, chunk := range chunks {
		one := listing(stored, chunk, path)
		encoded, _ := json.Marshal(one) // texts and numbers: there is nothing that cannot be encoded
		size += len(encoded)
		if listed := int64(len(d.Chunks)); listed == limit || listed > 0 && size > mostBytes {
			d.Next = d.Chunks[listed-1].Chunk
			return
		}
		d.Chunks = append(d.Chunks, one)
	}
}

// listing is a chunk with its script, which a row would end on which an expression fails: such rows are rejected, and left out unless they are many.
func listing(stored ledger.Run, chunk ledger.Deviation, path []string) Deviating {
	within, rejected := keyset.Range{Lo: chunk.Lo, Hi: chunk.Hi}, chunk.Rejected
	crowded := len(rejected) > mostExcluded
	if crowded {
		rejected = nil
	}
	return Deviating{Deviation: chunk, Keys: statement.Within(stored.Change.Key, within), Rejected: len(rejected), Crowded: crowded,
		SQL: statement.Deviating(stored.Change, within, rejected, path)}
}
