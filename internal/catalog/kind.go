package catalog

import (
	"context"
	"slices"

	"backfill/internal/change"
)

// kind is what one kind of change asks of the table, beside what all do: a table, a key, and `where`.
type kind interface {
	// events are those whose rules would rewrite what a run does.
	events(r *resolver) []string
	// check refuses what the kind cannot do to this table.
	check(ctx context.Context, r *resolver) error
	// rights lists those that the role lacks, beside SELECT.
	rights(r *resolver) []string
	// probes puts the kind's expressions where Postgres can judge them.
	probes(r *resolver) []probe
	// unsteady says what it means that an expression is volatile.
	unsteady(r *resolver, p probe)
	// complete adds to a change what the kind needs to be carried out.
	complete(r *resolver, c *change.Change)
	// note gathers what a person should know of a change that is possible.
	note(ctx context.Context, r *resolver) error
}

// kind finds that of the definition. One whose kind could not be read is judged by what it sets.
func (r *resolver) kind() kind {
	switch r.definition.Kind {
	case change.Delete:
		return deletion{}
	case change.Archived:
		return archived{}
	case change.Joined:
		return joined{}
	case change.Copy:
		return copying{}
	case change.Move:
		return moving{}
	case change.Transform:
		return transformation{}
	default:
		return set{}
	}
}

// written lists the columns that rows get new values in.
func (r *resolver) written() []string {
	names := slices.Clone(r.definition.Transform.Writes)
	for _, assignment := range r.definition.Set {
		names = append(names, assignment.Column)
	}
	return names
}
