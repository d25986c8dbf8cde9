package catalog

import (
	"context"
	"fmt"
	"slices"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/transform"
)

// transformation updates columns in place, as set does, by values that a Go function computes.
type transformation struct{ set }

func (transformation) check(_ context.Context, r *resolver) error {
	asked := r.definition.Transform
	if _, ok := transform.Find(asked.Function); !ok && !r.definition.Refused("transform.function") && asked.Function != "" {
		r.refuse("transform.function", 0, fmt.Sprintf("no function %q is compiled into this version", asked.Function), otherFunctions(asked.Function))
	}
	for _, name := range asked.Reads {
		if message, remedy := r.readable(name); message != "" {
			r.refuse(r.columnPlace("transform.reads", name), 0, message, remedy)
		}
	}
	for _, name := range asked.Writes {
		message, remedy := r.assignable(name)
		if message == "" {
			message, remedy = r.unsupported(name)
		}
		if message != "" {
			r.refuse(r.columnPlace("transform.writes", name), 0, message, remedy)
		}
	}
	for _, found := range r.key {
		if message, remedy := r.unsupported(found.Name); message != "" {
			r.refuse("table", 0, "key "+message, remedy)
		}
	}
	return nil
}

func otherFunctions(name string) string {
	if len(transform.Names()) == 0 {
		return "register one in internal/backfills, and deploy"
	}
	return definition.DidYouMean(name, transform.Names()) + "; or register it in internal/backfills, and deploy"
}

// columnPlace is where a column stands in a list, or the list that it is alone.
func (r *resolver) columnPlace(list, name string) string {
	if r.definition.Has(list + "." + name) {
		return list + "." + name
	}
	return list
}

// readable says why a column cannot be given to a function.
func (r *resolver) readable(name string) (message, remedy string) {
	if _, ok := r.column(name); !ok {
		return r.table.Name + " has no such column", definition.DidYouMean(name, r.columnNames())
	}
	if slices.ContainsFunc(r.key, func(k column) bool { return k.Name == name }) {
		return "the column is part of the key, which a function gets anyway", "remove it from the list"
	}
	return r.unsupported(name)
}

// unsupported says that Go functions have no form for a column's type.
func (r *resolver) unsupported(name string) (message, remedy string) {
	found, ok := r.column(name)
	if !ok || found.Enum || transform.Supports(found.Base) {
		return "", ""
	}
	return fmt.Sprintf("column %s has type %s, which Go functions do not get or give", display(name), found.Type), "use columns of " + transform.Supported
}

func (transformation) probes(*resolver) []probe { return nil }

func (transformation) complete(r *resolver, c *change.Change) {
	c.Indexed = r.writtenIndexes()
	asked := r.definition.Transform
	function, _ := transform.Find(asked.Function)
	c.Function = &change.Function{Name: function.Name, Version: function.Version,
		Reads: r.stored(asked.Reads), Writes: r.stored(asked.Writes)}
	for _, found := range r.key {
		c.Function.Key = append(c.Function.Key, change.Column{Name: found.Name, Type: found.Type, Base: found.Base})
	}
}

func (r *resolver) stored(names []string) (columns []change.Column) {
	for _, name := range names {
		found, _ := r.column(name)
		columns = append(columns, change.Column{Name: found.Name, Type: found.Type, Base: found.Base})
	}
	return columns
}
