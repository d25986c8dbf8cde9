package control

import (
	"context"
	"encoding/json"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/run"
)

const (
	// mostConflicts bounds an answer.
	mostConflicts = 1000
	// mostBytes bounds it as well, since a row may hold many values of 1000 characters: Lambda answers with 6 MB at most.
	mostBytes = 5 << 20
)

// Page is the input of conflicts. Limit is 1 to 1000; 0 means 100.
type Page struct {
	Action string `json:"action"`
	Run    string `json:"run"`
	Limit  int64  `json:"limit,omitempty"`
	After  int64  `json:"after,omitempty"` // how many to leave out: those of the answers before
}

// Conflicts is the answer. Columns are those of which each conflict lists the values.
type Conflicts struct {
	Columns   []string          `json:"columns"`
	Conflicts []ledger.Conflict `json:"conflicts"`
	Next      int64             `json:"next,omitempty"` // what After is for the page that follows; 0: this is the last
}

// Ledger is what is read in Postgres: values of rows never leave it but in an answer to a person.
type Ledger interface {
	observation.Ledger
	List(ctx context.Context, id string, asked ledger.Listing) ([]ledger.Listed, error)
	Conflicts(ctx context.Context, r ledger.Run, after, limit int64, visit func(ledger.Conflict) (enough bool)) error
	Tune(ctx context.Context, id string, tuning ledger.Tuning) (run.Limits, error)
	Sweep(ctx context.Context, keep time.Duration, tell func(ctx context.Context, id string, at time.Time) error) (ledger.Swept, error)
}

// conflicts lists the rows that a rollback left alone.
func (c *Control) conflicts(ctx context.Context, input json.RawMessage) (any, error) {
	page := Page{}
	if err := decode(input, &page); err != nil {
		return nil, err
	}
	if page.Limit == 0 {
		page.Limit = 100
	}
	if page.Run == "" || page.Limit < 1 || page.Limit > mostConflicts || page.After < 0 {
		return nil, failure.New(failure.Invalid, `give "run", a "limit" within 1 to %d, and "after" from 0`, mostConflicts)
	}
	stored, err := c.Ledger.Run(ctx, page.Run)
	if err != nil {
		return nil, err
	}
	answer := Conflicts{Conflicts: []ledger.Conflict{}}
	for _, assignment := range stored.Change.Set {
		answer.Columns = append(answer.Columns, assignment.Column)
	}
	err = c.Ledger.Conflicts(ctx, stored, page.After, page.Limit+1, answer.fill(page))
	return answer, err
}

// fill takes conflicts until the page is full, and notes then where the next one begins.
func (a *Conflicts) fill(page Page) (visit func(ledger.Conflict) (enough bool)) {
	size := 0
	return func(found ledger.Conflict) bool {
		encoded, _ := json.Marshal(found) // texts and a time: there is nothing that cannot be encoded
		size += len(encoded)
		if listed := int64(len(a.Conflicts)); listed == page.Limit || listed > 0 && size > mostBytes {
			a.Next = page.After + listed
			return true
		}
		a.Conflicts = append(a.Conflicts, found)
		return false
	}
}
