package catalog

import (
	"context"
	"regexp"
	"strings"

	"backfill/internal/change"
)

// moving is a copy, and a deletion of what was copied.
type moving struct{ copying }

// events are those of the table whose rows go, and come back in a rollback.
func (moving) events(r *resolver) []string {
	if r.definition.Undo {
		return []string{"DELETE", "INSERT"}
	}
	return []string{"DELETE"}
}

func (m moving) check(ctx context.Context, r *resolver) error {
	if err := m.copying.check(ctx, r); err != nil {
		return err
	}
	for _, found := range r.target.key {
		if r.definition.Undo && !r.target.gives(found.Name) {
			r.refuse("copy.move", 0, "the copy does not give column "+display(found.Name)+" of the key by which a rollback finds rows of "+r.target.Name+", so nobody would know which row became which",
				"give it an expression below columns, or write undo: off")
		}
	}
	return r.checkDeletion(ctx, "copy.move")
}

func (moving) rights(r *resolver) []string { return deletion{}.rights(r) }

func (m moving) unsteady(r *resolver, p probe) {
	if p.path == "where" {
		deletion{}.unsteady(r, p)
		return
	}
	m.copying.unsteady(r, p)
}

// complete keeps the whole row, that of the key as well: undo knows it by the key that it has in the target.
func (m moving) complete(r *resolver, c *change.Change) {
	m.copying.complete(r, c)
	for _, found := range r.columns {
		if c.Undo && !found.Generated {
			c.Row = append(c.Row, change.Column{Name: found.Name, Type: found.Type, Base: found.Base})
		}
	}
}

func (m moving) note(ctx context.Context, r *resolver) error {
	if lost := r.unread(); len(lost) > 0 {
		r.warn("columns of %s that no expression reads go with their rows: %s", r.table.Name, strings.Join(lost, ", "))
	}
	if err := r.noteDeletion(ctx); err != nil {
		return err
	}
	return m.copying.note(ctx, r)
}

// unread lists the columns of the table that no expression of the copy names. A name in a text or of something else counts as well: it is a hint.
func (r *resolver) unread() (names []string) {
	for _, found := range r.columns {
		word := regexp.MustCompile(`(^|[^[:alnum:]_$])` + regexp.QuoteMeta(strings.ToLower(found.Name)) + `($|[^[:alnum:]_$])`)
		named := false
		for _, assignment := range r.target.filled {
			named = named || word.MatchString(strings.ToLower(assignment.Expression.String()))
		}
		if !named && !found.Generated {
			names = append(names, display(found.Name))
		}
	}
	return names
}
