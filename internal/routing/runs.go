package routing

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/records"
)

// Records say in which database a run is.
type Records interface {
	Run(ctx context.Context, id string) (records.Record, error)
}

// Ledger is that of one database.
type Ledger interface {
	Renew(ctx context.Context) error
	Run(ctx context.Context, id string) (ledger.Run, error)
}

// Runs finds runs.
type Runs struct {
	Databases
	Records Records
	Ledger  func(database string) Ledger // of a database of the stack
	known   map[string]string            // of runs; a run stays where it is
}

// mostKnown bounds what an environment remembers.
const mostKnown = 1000

// Of is the database of a run; "": the stack's own, or there is no such run.
func (r *Runs) Of(ctx context.Context, id string) (string, error) {
	if database, ok := r.known[id]; ok {
		return database, nil
	}
	record, err := r.Records.Run(ctx, id)
	if errors.Is(err, records.ErrNotFound) {
		return r.search(ctx, id)
	}
	switch {
	case err != nil && len(r.Databases) == 0:
		return "", nil // where there is one alone, a pause and a cancel do not wait for DynamoDB
	case err != nil:
		return "", err
	}
	return r.recorded(record)
}

// recorded is the database that a record names.
func (r *Runs) recorded(record records.Record) (string, error) {
	id, database := record.Status.Run, record.Status.Database
	if err := r.Kept(database); err != nil {
		return "", fmt.Errorf("run %s: %w", id, err)
	}
	r.remember(id, database)
	return database, nil
}

func (r *Runs) remember(id, database string) {
	if r.known == nil || len(r.known) >= mostKnown {
		r.known = map[string]string{}
	}
	r.known[id] = database
}

// search asks each ledger for a run that has no record: DynamoDB lost it, or was restored to a time before it. A database that does not answer is told
// only where the run is in none of the others.
func (r *Runs) search(ctx context.Context, id string) (string, error) {
	if len(r.Databases) == 0 {
		return "", nil
	}
	var silent error
	for _, database := range r.All() {
		_, err := r.look(ctx, database, id)
		switch {
		case err == nil:
			r.remember(id, database)
			return database, nil
		case !errors.Is(err, ledger.ErrNoRun):
			silent = errors.Join(silent, err)
		}
	}
	if silent != nil {
		return "", fmt.Errorf("look for run %s, which has no record, in each database of the stack: %w", id, failure.As(failure.Of(silent), silent))
	}
	return "", nil
}

// look reads the run where that database knows it. Its schema may be one of a version before.
func (r *Runs) look(ctx context.Context, database, id string) (ledger.Run, error) {
	entries := r.Ledger(database)
	if err := entries.Renew(ctx); err != nil {
		return ledger.Run{}, err
	}
	return entries.Run(ctx, id)
}
