package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"backfill/internal/backfills"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/records"
)

// Entry is one definition, or one version of it, as people see it.
type Entry struct {
	Name        string     `json:"name"`
	Version     int64      `json:"version,omitempty"` // 0: it is compiled in
	Hash        string     `json:"hash,omitempty"`
	Table       string     `json:"table"`
	Database    string     `json:"database,omitempty"` // of the stack; "": its own
	Owner       string     `json:"owner,omitempty"`
	Description string     `json:"description,omitempty"`
	By          string     `json:"registered_by,omitempty"`
	At          *time.Time `json:"registered_at,omitempty"`
}

// Shown is one version with its text, and the others of its name, the newest first.
type Shown struct {
	Entry
	Source   string  `json:"definition"`
	Versions []Entry `json:"versions"`
}

// List is every definition that can be started by its name, by the newest version.
func (r Registry) List(ctx context.Context) ([]Entry, error) {
	all := []Entry{}
	for _, name := range backfills.Names() {
		source, err := backfills.Source(name)
		if err != nil {
			return nil, err
		}
		all = append(all, entry(records.Definition{Name: name, Source: source}))
	}
	registered, err := r.Store.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range registered {
		all = append(all, entry(d))
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Show is one definition: its text in a version, 0: the newest.
func (r Registry) Show(ctx context.Context, name string, version int64) (Shown, error) {
	if !definition.IsName(name) {
		return Shown{}, r.unknown(ctx, name)
	}
	found, err := r.Store.Versions(ctx, name)
	if errors.Is(err, records.ErrNoDefinition) {
		return r.embedded(ctx, name, version)
	}
	if err != nil {
		return Shown{}, err
	}
	shown := Shown{Versions: []Entry{}}
	for _, d := range found {
		shown.Versions = append(shown.Versions, entry(d))
	}
	if version == 0 {
		version = found[0].Version
	}
	at := slices.IndexFunc(found, func(d records.Definition) bool { return d.Version == version })
	if at < 0 { // older than those that are listed, or none
		old, err := r.Store.Definition(ctx, name, version)
		if errors.Is(err, records.ErrNoDefinition) {
			return Shown{}, r.noVersion(ctx, name, version, false)
		}
		shown.Entry, shown.Source = entry(old), old.Source
		return shown, err
	}
	shown.Entry, shown.Source = entry(found[at]), found[at].Source
	return shown, nil
}

// embedded shows a definition that is compiled in.
func (r Registry) embedded(ctx context.Context, name string, version int64) (Shown, error) {
	switch {
	case !slices.Contains(backfills.Names(), name):
		return Shown{}, r.unknown(ctx, name)
	case version > 0:
		return Shown{}, failure.New(failure.Invalid, "%s is compiled into this deployment, and has no versions; leave the version out", name)
	}
	source, err := backfills.Source(name)
	return Shown{Entry: entry(records.Definition{Name: name, Source: source}), Source: source, Versions: []Entry{}}, err
}

func entry(d records.Definition) Entry {
	read, _ := definition.Parse([]byte(d.Source)) // an older deployment may have taken what this one refuses: what can be read is shown
	e := Entry{Name: d.Name, Version: d.Version, Hash: d.Hash, Table: cmp.Or(d.Table, read.Table.String()), Database: read.Database, Owner: read.Owner,
		Description: read.Description, By: d.By}
	if !d.At.IsZero() {
		e.At = &d.At
	}
	return e
}
