package routing

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"backfill/internal/failure"
	"backfill/internal/records"
)

// Ended is the database of the run of an execution that ended badly, by the execution's input and name. It may have been refused before its run had
// a record, or under the id of another run: then it is where its definition would have had it.
func (s Starts) Ended(ctx context.Context, input []byte, name, execution string) (string, error) {
	var asked struct {
		Run        string `json:"run"`
		Backfill   string `json:"backfill"`
		Definition string `json:"definition"`
	}
	_ = json.Unmarshal(input, &asked) // an input that is no request names nothing
	id, starts := cmp.Or(asked.Run, name), asked.Backfill != "" || asked.Definition != ""
	record, err := s.Records.Run(ctx, id)
	if err != nil && !errors.Is(err, records.ErrNotFound) {
		return "", err
	}
	recorded := err == nil
	if !starts || recorded && record.Execution == execution {
		return s.Of(ctx, id)
	}
	named, err := s.Definitions.Of(ctx, asked.Backfill, asked.Definition)
	if err != nil && !failure.Is(err, failure.Invalid) {
		return "", err
	}
	if err != nil { // refused for that, so it has no run
		named = ""
	}
	if !recorded || named == record.Status.Database || s.begun(ctx, named, id, execution) {
		return named, nil
	}
	return s.recorded(record)
}

// begun tells whether the execution has the run in that database.
func (s Starts) begun(ctx context.Context, database, id, execution string) bool {
	stored, err := s.look(ctx, database, id)
	return err == nil && stored.Execution == execution
}
