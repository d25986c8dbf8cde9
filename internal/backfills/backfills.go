// Package backfills holds the definitions that are compiled into the functions.
//
// It owns the files; add one here, and a review and a deployment later people can start it by its name. It leaves
// their rules to definition. Invariants, held by a test: each file is valid, and its name is the definition's.
package backfills

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"backfill/internal/definition"
	"backfill/internal/failure"
)

//go:embed *.yaml
var files embed.FS

const extension = ".yaml"

// Names lists the definitions, in order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("list the embedded definitions: %v", err)) // the root of an embed.FS can always be read
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(path.Base(entry.Name()), extension)
	}
	return names
}

// Load reads a definition by its name. An unknown name is failure.Invalid, with the names that there are.
func Load(name string) (definition.Definition, error) {
	if !slices.Contains(Names(), name) {
		return definition.Definition{}, failure.New(failure.Invalid, "there is no backfill %q; %s",
			name, definition.DidYouMean(name, Names()))
	}
	source, err := Source(name)
	if err != nil {
		return definition.Definition{}, err
	}
	d, problems := definition.Parse([]byte(source))
	if err := problems.Err(); err != nil {
		return d, fmt.Errorf("read the backfill %q: %w", name, err)
	}
	return d, nil
}

// Source is the text of one of Names.
func Source(name string) (string, error) {
	source, err := files.ReadFile(name + extension)
	if err != nil {
		return "", fmt.Errorf("read the backfill %q: %w", name, err)
	}
	return string(source), nil
}
