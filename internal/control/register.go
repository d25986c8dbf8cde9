package control

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"backfill/internal/failure"
	"backfill/internal/records"
	"backfill/internal/registry"
	"backfill/internal/review"
)

// Registering is the input of register. Params are values to check the statements with, for those that have no default;
// without them an example of the type is taken.
type Registering struct {
	Action     string         `json:"action"`
	Definition string         `json:"definition"`
	Params     map[string]any `json:"params,omitempty"`
	By         string         `json:"by,omitempty"`
}

// Registered is the answer. New is false where this content was the newest version already.
type Registered struct {
	Name      string    `json:"name"`
	Version   int64     `json:"version"`
	Hash      string    `json:"hash"`
	Table     string    `json:"table"`
	By        string    `json:"registered_by"`
	At        time.Time `json:"registered_at"`
	New       bool      `json:"new"`
	Estimated int64     `json:"estimated"`
	Notes     []string  `json:"notes"`
}

// register stores a definition that could run now.
func (c *Control) register(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Registering
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if asked.Definition == "" {
		return nil, failure.New(failure.Invalid, `"definition" is missing: the text of the file`)
	}
	finding, err := c.Reviewer.Check(ctx, asked.Definition, asked.Params)
	if err != nil {
		return nil, err
	}
	if finding, err = c.withDependencies(ctx, finding); err != nil {
		return nil, err
	}
	added, isNew, err := c.Registry.Add(ctx, records.Definition{Name: finding.Backfill, Source: finding.Source,
		Table: finding.Change.Table.String(), By: asked.By})
	if err != nil {
		return nil, err
	}
	slog.InfoContext(ctx, "definition registered", "backfill", added.Name, "version", added.Version, "hash", added.Hash, "new", isNew, "by", added.By)
	return Registered{Name: added.Name, Version: added.Version, Hash: added.Hash, Table: added.Table, By: added.By, At: added.At, New: isNew,
		Estimated: finding.Estimated, Notes: finding.Notes}, nil
}

// withDependencies adds a note for each backfill that a start has to wait for: the definition is not wrong.
func (c *Control) withDependencies(ctx context.Context, finding review.Finding) (review.Finding, error) {
	before, err := c.Ledger.Dependencies(ctx, finding.DependsOn)
	for _, unmet := range review.Unmet(before) {
		finding.Notes = append(finding.Notes, "a start is refused now: "+unmet.Message+"; "+unmet.Remedy)
	}
	return finding, err
}

// Catalogue is the input of definitions: all of them, or one, in a version (0: the newest).
type Catalogue struct {
	Action  string `json:"action"`
	Name    string `json:"name,omitempty"`
	Version int64  `json:"version,omitempty"`
}

// Definitions is the answer where no name was given.
type Definitions struct {
	Definitions []registry.Entry `json:"definitions"`
}

func (c *Control) definitions(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Catalogue
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if asked.Version < 0 || asked.Version > 0 && asked.Name == "" {
		return nil, failure.New(failure.Invalid, `a "version" counts from 1, and needs a "name"`)
	}
	if asked.Name != "" {
		return c.Registry.Show(ctx, asked.Name, asked.Version)
	}
	all, err := c.Registry.List(ctx)
	return Definitions{Definitions: all}, err
}
