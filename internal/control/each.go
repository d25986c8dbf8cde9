package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"backfill/internal/checkup"
	"backfill/internal/deadline"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/run"
)

// each has every database that is named answer, each in its share of the time that is left. An error of one is told when the others are dealt with.
func (s Several) each(ctx context.Context, asked about, alias string, input json.RawMessage) (any, error) {
	databases, err := s.named(asked)
	if err != nil {
		return nil, err
	}
	if input, err = asked.within(input); err != nil {
		return nil, err
	}
	all := answers{runs: Runs{Runs: []run.Status{}}}
	for i, database := range databases {
		share, cancel := context.WithTimeout(ctx, deadline.Remaining(ctx)/time.Duration(len(databases)-i))
		answer, failed := s.by(share, database, alias, input)
		cancel()
		if failed != nil {
			if len(databases) == 1 {
				return nil, failed
			}
			err = errors.Join(err, fmt.Errorf("database %s: %w", cmp.Or(database, definition.OwnDatabase), failed))
			continue
		}
		all.add(cmp.Or(database, definition.OwnDatabase), answer)
	}
	if err != nil {
		return nil, failure.As(failure.Of(err), err)
	}
	return all.answer(len(s.Starts.All()) > 1), nil
}

// within is the input as one database takes it, which does not know that it has a name.
func (a about) within(input json.RawMessage) (json.RawMessage, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(input, &keys); err != nil {
		return nil, failure.New(failure.Invalid, "read the input: %w", err)
	}
	delete(keys, "database")
	if a.Action == "tune" {
		keys["database"] = json.RawMessage("true")
	}
	return json.Marshal(keys)
}

// Tunings is the answer to tune of several databases: the limits that hold now in each.
type Tunings struct {
	Databases []DatabaseTuned `json:"databases"`
}

// DatabaseTuned are the limits of one. Its name is not "database", which is a limit.
type DatabaseTuned struct {
	Name string `json:"name"`
	run.Limits
}

// answers of some databases, as one.
type answers struct {
	one    any // of the last
	n      int
	checks checkup.Report
	swept  ledger.Swept
	runs   Runs
	tuned  Tunings
}

func (a *answers) add(database string, answer any) {
	a.one = answer
	a.n++
	switch answer := answer.(type) {
	case checkup.Report:
		for _, check := range answer.Checks {
			if check.Name != "records" { // which all have in common
				check.Database = database
			}
			a.checks.Checks = append(a.checks.Checks, check)
		}
	case ledger.Swept:
		a.swept.Runs, a.swept.UndoRows, a.swept.More = a.swept.Runs+answer.Runs, a.swept.UndoRows+answer.UndoRows, a.swept.More || answer.More
	case Runs:
		a.runs.Runs = append(a.runs.Runs, answer.Runs...)
	case Tuned:
		a.tuned.Databases = append(a.tuned.Databases, DatabaseTuned{Name: database, Limits: answer.Limits})
	}
}

// answer is that of a stack of one database where there is nothing to be told apart.
func (a *answers) answer(several bool) any {
	if _, checked := a.one.(checkup.Report); checked && several {
		return a.checks
	}
	if a.n == 1 {
		return a.one
	}
	switch a.one.(type) {
	case ledger.Swept:
		return a.swept
	case Runs:
		return a.runs
	}
	return a.tuned
}
