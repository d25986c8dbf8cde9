// Package routing finds the database that an input of a function is about, where a stack serves several.
//
// It owns the ways: a definition names its database, a run is where its record says, and one whose record was lost is where a ledger knows it.
// It leaves what is done there to the use cases, of which a function has one for each database (assembly). Invariants: what names none is about
// the stack's own, as everything was before there were others; nothing is done where the database is not found; an id is that of one run, in one
// database.
package routing

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"backfill/internal/definition"
	"backfill/internal/failure"
)

// Databases are the names of those that a stack has beside its own.
type Databases []string

// ErrGone is in what Kept returns for a database that the stack does not have.
var ErrGone = errors.New("the stack has no such database")

// All are the names of all, as they are kept: its own is "".
func (d Databases) All() []string { return append([]string{""}, d...) }

// has tells whether the stack has it; "": its own.
func (d Databases) has(name string) bool { return name == "" || slices.Contains(d, name) }

// Named refuses the name that a definition or a person gives to a database which the stack does not have.
func (d Databases) Named(name string) error {
	if d.has(name) {
		return nil
	}
	return failure.New(failure.Invalid, "database: this stack has no %.80q, it has %s; write one of these, or give the stack this one as well, by its parameters "+
		"Databases and DatabaseSecretArns", name, d.list())
}

// Kept refuses to go on with what is in a database that the stack has no more: nothing mends that but a deployment.
func (d Databases) Kept(name string) error {
	if d.has(name) {
		return nil
	}
	return failure.New(failure.Permanent, "database %.80q: %w, it has %s: it was taken out of Databases; put its name and its secret back into Databases and "+
		"DatabaseSecretArns, deploy, and then `backfill resume RUN`", name, ErrGone, d.list())
}

func (d Databases) list() string {
	all := d.All()
	for i, name := range all {
		all[i] = cmp.Or(name, definition.OwnDatabase)
	}
	return strings.Join(all, ", ")
}
