package routing

import (
	"context"

	"backfill/internal/definition"
	"backfill/internal/registry"
)

// Registry finds what a name stands for.
type Registry interface {
	Find(ctx context.Context, reference string) (registry.Found, error)
}

// Definitions finds the database that a definition names.
type Definitions struct {
	Databases
	Registry Registry
}

// Of is the database of a definition, by its name or its text. What is wrong with a file is told by review: here only its database counts.
func (d Definitions) Of(ctx context.Context, backfill, text string) (string, error) {
	if text == "" {
		found, err := d.Registry.Find(ctx, backfill)
		if err != nil {
			return "", err
		}
		text = found.Source
	}
	read, _ := definition.Parse([]byte(text))
	return read.Database, d.Named(read.Database)
}
