package control

import (
	"context"
	"encoding/json"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/report"
	"backfill/internal/run"
)

const (
	// mostRows bounds an answer.
	mostRows = 1000
	// mostBytes bounds it as well, since a row may hold many values of 1000 characters: Lambda answers with 6 MB at most.
	mostBytes = 5 << 20
)

// Page is the input of conflicts, of rejects, and of certificate and deviations, where After is the number of a chunk. Limit is 1 to 1000; 0 means 100.
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
	Renew(ctx context.Context) error
	List(ctx context.Context, id string, asked ledger.Listing) ([]ledger.Listed, error)
	Conflicts(ctx context.Context, r ledger.Run, after, limit int64, visit func(ledger.Conflict) (enough bool)) error
	Rejects(ctx context.Context, r ledger.Run, after, limit int64, visit func(ledger.Rejected) (enough bool)) error
	Report(ctx context.Context, id string, planned int64) (report.Facts, error)
	Digests(ctx context.Context, id string, after, limit int64) ([]ledger.Digest, error)
	Verified(ctx context.Context, id string) (ledger.Verified, error)
	Deviations(ctx context.Context, id string, after, limit, rejects int64) ([]ledger.Deviation, error)
	Path(ctx context.Context) ([]string, error)
	Await(ctx context.Context, id, execution, token string) (bool, error)
	Waiting(ctx context.Context, id string) (string, error)
	Woken(ctx context.Context, id, token string) error
	Orphan(ctx context.Context, id, execution string) error
	Dependencies(ctx context.Context, backfills []string) ([]ledger.Dependency, error)
	Tune(ctx context.Context, id string, tuning ledger.Tuning) (run.Limits, error)
	Sweep(ctx context.Context, keep time.Duration, tell func(ctx context.Context, id string, at time.Time) error) (ledger.Swept, error)
}

// conflicts lists the rows that a rollback left alone.
func (c *Control) conflicts(ctx context.Context, input json.RawMessage) (any, error) {
	page, stored, err := c.page(ctx, input)
	if err != nil {
		return nil, err
	}
	answer := Conflicts{Conflicts: []ledger.Conflict{}}
	for _, column := range stored.Change.Columns() {
		answer.Columns = append(answer.Columns, column.Name)
	}
	err = c.Ledger.Conflicts(ctx, stored, page.After, page.Limit+1, fills(page, &answer.Conflicts, &answer.Next))
	return answer, err
}

// page reads which page of a run is asked for, and the run.
func (c *Control) page(ctx context.Context, input json.RawMessage) (page Page, stored ledger.Run, err error) {
	if err := decode(input, &page); err != nil {
		return page, stored, err
	}
	if page.Limit == 0 {
		page.Limit = 100
	}
	if page.Run == "" || page.Limit < 1 || page.Limit > mostRows || page.After < 0 {
		return page, stored, failure.New(failure.Invalid, `give "run", a "limit" within 1 to %d, and "after" from 0`, mostRows)
	}
	stored, err = c.run(ctx, page.Run)
	return page, stored, err
}

// run reads a run in Postgres. A look needs the schema as well, and may be the first to come after a deployment.
func (c *Control) run(ctx context.Context, id string) (ledger.Run, error) {
	if err := c.Ledger.Renew(ctx); err != nil {
		return ledger.Run{}, err
	}
	return c.Ledger.Run(ctx, id)
}

// fills takes rows until the page is full, and notes then where the next one begins.
func fills[T any](page Page, rows *[]T, next *int64) (visit func(T) (enough bool)) {
	size := 0
	return func(found T) bool {
		encoded, _ := json.Marshal(found) // texts and a time: there is nothing that cannot be encoded
		size += len(encoded)
		if listed := int64(len(*rows)); listed == page.Limit || listed > 0 && size > mostBytes {
			*next = page.After + listed
			return true
		}
		*rows = append(*rows, found)
		return false
	}
}
