package control

import (
	"context"
	"encoding/json"
	"errors"

	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/routing"
)

// Several answers for all databases of a stack: each input by the control of the one that it is about, or of each.
type Several struct {
	Starts routing.Starts
	Of     func(database string) (*Control, error)
}

// about is what an input says of what it is about.
type about struct {
	Action     string          `json:"action"`
	DetailType string          `json:"detail-type"`
	Run        string          `json:"run"`
	Backfill   string          `json:"backfill"`
	Definition string          `json:"definition"`
	All        bool            `json:"all"`
	Database   json.RawMessage `json:"database"`
	// of an execution that ended badly: as the state machine says it, and as EventBridge does
	Request   json.RawMessage `json:"request"`
	Name      string          `json:"name"`
	Execution string          `json:"execution"`
	Detail    struct {
		Input     string `json:"input"`
		Name      string `json:"name"`
		Execution string `json:"executionArn"`
	} `json:"detail"`
}

// Handle answers an input, as Control does.
func (s Several) Handle(ctx context.Context, alias string, input json.RawMessage) (any, error) {
	var asked about
	if json.Unmarshal(input, &asked) != nil {
		return s.by(ctx, "", alias, input) // which tells what is wrong with it
	}
	if asked.DetailType != executionEvent {
		if _, err := choose(alias, asked.Action); err != nil {
			return nil, err
		}
	}
	if asked.everywhere() {
		return s.each(ctx, asked, alias, input)
	}
	database, err := s.find(ctx, asked)
	if err != nil {
		return nil, err
	}
	return s.by(ctx, database, alias, input)
}

func (s Several) by(ctx context.Context, database, alias string, input json.RawMessage) (any, error) {
	c, err := s.Of(database)
	if err != nil {
		return nil, err
	}
	return c.Handle(ctx, alias, input)
}

// find is the one database that an input is about; "": the stack's own, or what is asked for is in none.
func (s Several) find(ctx context.Context, asked about) (string, error) {
	switch {
	case asked.DetailType == executionEvent:
		return s.Starts.Ended(ctx, []byte(asked.Detail.Input), asked.Detail.Name, asked.Detail.Execution)
	case asked.Action == "close":
		return s.Starts.Ended(ctx, asked.Request, asked.Name, asked.Execution)
	case asked.Run != "":
		database, err := s.Starts.Of(ctx, asked.Run)
		if asked.Action == "status" && errors.Is(err, routing.ErrGone) {
			return "", nil // its record is all that is asked
		}
		return database, err
	case asked.Backfill != "" || asked.Definition != "":
		return s.Starts.Definitions.Of(ctx, asked.Backfill, asked.Definition)
	}
	return "", nil
}

// everywhere tells whether an input is about a database as a whole: about each, if none is named.
func (a about) everywhere() bool {
	switch a.Action {
	case "doctor", "sweep":
		return true
	case "pause", "resume":
		return a.All && a.Run == ""
	case "tune":
		return a.Run == "" && a.Database != nil && string(a.Database) != "false"
	}
	return false
}

// named are the databases that an input names: by "database": its name, or all.
func (s Several) named(asked about) ([]string, error) {
	if asked.Database == nil || string(asked.Database) == "true" && asked.Action == "tune" {
		return s.Starts.All(), nil
	}
	var name string
	if json.Unmarshal(asked.Database, &name) != nil || name == "" {
		return nil, failure.New(failure.Invalid, `"database" has to be the name of one of the stack's, or be left out for all of them`)
	}
	name = definition.DatabaseOf(name)
	return []string{name}, s.Starts.Named(name)
}
