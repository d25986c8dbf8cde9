package control

import (
	"context"
	"encoding/json"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
)

// mostConflicts bounds an answer: a value has up to 1000 characters, and Lambda answers with 6 MB at most.
const mostConflicts = 1000

// Page is the input of conflicts. Limit is 1 to 1000; 0 means 100.
type Page struct {
	Action string `json:"action"`
	Run    string `json:"run"`
	Limit  int    `json:"limit,omitempty"`
	After  int64  `json:"after,omitempty"` // how many to leave out: those of the answers before
}

// Conflicts is the answer. Columns are those that Holds lists.
type Conflicts struct {
	Columns   []string          `json:"columns"`
	Conflicts []ledger.Conflict `json:"conflicts"`
}

// Ledger is what is read in Postgres: values of rows never leave it but in an answer to a person.
type Ledger interface {
	Run(ctx context.Context, id string) (ledger.Run, error)
	Conflicts(ctx context.Context, id string, after int64, limit int) ([]ledger.Conflict, error)
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
	found, err := c.Ledger.Conflicts(ctx, page.Run, page.After, page.Limit)
	answer.Conflicts = append(answer.Conflicts, found...)
	return answer, err
}
