// Package registry owns what can be started by a name: the definitions that are compiled in, and those that were registered.
//
// It leaves items to records, the files to backfills, and the judgement of a definition to review. Invariants: a name
// stands for one definition: one that is compiled in cannot be registered, and where a deployment has brought it later,
// the bare name is refused; NAME@N is always version N of what was registered.
package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/backfills"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/records"
)

// Store is where versions are kept.
type Store interface {
	Register(ctx context.Context, d records.Definition) (records.Definition, bool, error)
	Definition(ctx context.Context, name string, version int64) (records.Definition, error)
	Versions(ctx context.Context, name string) ([]records.Definition, error)
	Definitions(ctx context.Context) ([]records.Definition, error)
}

// Registry finds and adds. Without a Store there is only what is compiled in.
type Registry struct{ Store Store }

// Found is a definition that can be judged. Version 0: it is compiled in.
type Found struct {
	Name    string
	Version int64
	Source  string
}

// Find finds what a start names: NAME, or NAME@N for an older version.
func (r Registry) Find(ctx context.Context, reference string) (Found, error) {
	name, version, err := parse(reference)
	if err != nil {
		return Found{}, err
	}
	stored, err := r.stored(ctx, name, version)
	if err != nil && !errors.Is(err, records.ErrNoDefinition) {
		return Found{}, err
	}
	registered, embedded := err == nil, slices.Contains(backfills.Names(), name)
	switch {
	case registered && embedded && version == 0:
		return Found{}, failure.New(failure.Invalid, "%q is compiled into this deployment, and registered as well: start %s@%d for what was registered, "+
			"or rename the file that is compiled in", name, name, stored.Version)
	case registered:
		return Found{Name: stored.Name, Version: stored.Version, Source: stored.Source}, nil
	case version > 0:
		return Found{}, r.noVersion(ctx, name, version, embedded)
	case embedded:
		source, err := backfills.Source(name)
		return Found{Name: name, Source: source}, err
	}
	return Found{}, r.unknown(ctx, name)
}

func (r Registry) stored(ctx context.Context, name string, version int64) (records.Definition, error) {
	if r.Store == nil || !definition.IsName(name) { // DynamoDB does not take every text as a key
		return records.Definition{}, records.ErrNoDefinition
	}
	return r.Store.Definition(ctx, name, version)
}

// parse reads NAME or NAME@N.
func parse(reference string) (name string, version int64, err error) {
	name, number, versioned := strings.Cut(reference, "@")
	if !versioned {
		return name, 0, nil
	}
	version, err = strconv.ParseInt(number, 10, 64)
	if err != nil || version < 1 || number != strconv.FormatInt(version, 10) {
		return name, 0, failure.New(failure.Invalid, "%q names no version; write %s@3 for version 3, or %s for the newest", reference, name, name)
	}
	return name, version, nil
}

// noVersion says which versions there are.
func (r Registry) noVersion(ctx context.Context, name string, version int64, embedded bool) error {
	newest, err := r.stored(ctx, name, 0)
	switch {
	case err == nil:
		return failure.New(failure.Invalid, "%s has no version %d; it has 1 to %d, `backfill definitions %s` lists them", name, version, newest.Version, name)
	case !errors.Is(err, records.ErrNoDefinition):
		return err
	case embedded:
		return failure.New(failure.Invalid, "%s is compiled into this deployment, and has no versions; start it by %s", name, name)
	}
	return r.unknown(ctx, name)
}

// unknown helps with a name that stands for nothing.
func (r Registry) unknown(ctx context.Context, name string) error {
	names := backfills.Names()
	if r.Store != nil {
		registered, err := r.Store.Definitions(ctx)
		if err != nil {
			return err
		}
		for _, d := range registered {
			names = append(names, d.Name)
		}
	}
	return failure.New(failure.Invalid, "there is no backfill %.80q; %s", name, definition.DidYouMean(name, names))
}

// Add registers a definition that was judged, and tells whether it is a version of its own: the same content again is
// the version that is there.
func (r Registry) Add(ctx context.Context, d records.Definition) (records.Definition, bool, error) {
	if err := Free(d.Name); err != nil {
		return d, false, err
	}
	added, isNew, err := r.Store.Register(ctx, d)
	if err != nil {
		return added, false, fmt.Errorf("register %s: %w", d.Name, err)
	}
	return added, isNew, nil
}

// Free refuses a name that is compiled in: whoever may register must not thereby change what that name starts.
func Free(name string) error {
	if !slices.Contains(backfills.Names(), name) {
		return nil
	}
	return failure.New(failure.Invalid, "name: %q is the name of a definition that is compiled into this deployment; give yours another name", name)
}
