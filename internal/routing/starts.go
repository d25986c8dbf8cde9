package routing

import (
	"context"
	"errors"
	"slices"

	"backfill/internal/records"
	"backfill/internal/request"
)

// Starts finds the database of what an execution was started with.
type Starts struct {
	*Runs
	Definitions Definitions
}

// Asked is the database that a request of an execution is about, in which its run is to begin, or is.
func (s Starts) Asked(ctx context.Context, input []byte, name, execution string) (string, error) {
	asked, err := request.Parse(input, name)
	switch {
	case err != nil:
		return "", nil // the planner tells what is wrong with it
	case slices.Contains([]string{request.Resume, request.Retry, request.Rollback, request.Verify}, asked.Action):
		return s.Of(ctx, asked.Run)
	}
	database, err := s.Definitions.Of(ctx, asked.Backfill, asked.Definition)
	if err != nil || asked.DryRun {
		return database, err
	}
	return s.free(ctx, asked.Run, execution, database)
}

// free refuses an id that is taken in another database: one record is about one run. An execution that asks once more has its run where it began,
// whatever the name of its definition stands for by now.
func (s Starts) free(ctx context.Context, id, execution, database string) (string, error) {
	record, err := s.Records.Run(ctx, id)
	switch {
	case errors.Is(err, records.ErrNotFound):
		return database, nil
	case err != nil:
		return "", err
	case record.Execution == execution:
		return s.recorded(record)
	case record.Status.Database != database:
		return "", records.Taken(id, record.Status.Database)
	}
	return database, nil
}
