package change

import (
	"slices"

	"backfill/internal/keyset"
)

// Written is the table whose rows undo keeps and gives back, and the columns by which it knows them.
func (c Change) Written() (Table, []keyset.Column) {
	if c.Copy != nil {
		return c.Copy.Into, c.Copy.Key
	}
	return c.Table, c.Key
}

// Effect is what a run does to the rows of one table.
type Effect struct {
	Table   Table
	Columns []string // written in rows that were there
	Fills   []string // written in rows that are inserted
	Deletes bool
}

// Effects lists the tables that a run writes. A table that it only reads is not among them.
func (c Change) Effects() []Effect {
	switch c.Kind {
	case Delete:
		return []Effect{{Table: c.Table, Deletes: true}}
	case Archived:
		return []Effect{{Table: c.Table, Deletes: true}, {Table: c.Archive.Table, Fills: names(c.Archive.Row)}}
	case Copy, Move:
		effect := Effect{Table: c.Copy.Into}
		for _, assignment := range c.Copy.Columns {
			effect.Fills = append(effect.Fills, assignment.Column)
		}
		if c.Copy.OnConflict == Update {
			effect.Columns = names(c.Copy.Written())
		}
		if c.Kind == Move {
			return []Effect{effect, {Table: c.Table, Deletes: true}}
		}
		return []Effect{effect}
	default:
		return []Effect{{Table: c.Table, Columns: names(c.Columns())}}
	}
}

// Clears tells whether a run leaves no row in scope in the table that it walks.
func (c Change) Clears() bool {
	return slices.ContainsFunc(c.Effects(), func(e Effect) bool { return e.Deletes && e.Table == c.Table })
}

// Shown lists the columns in which people are shown what becomes of a row, with the expressions that give it as far as there are any.
func (c Change) Shown() []Assignment {
	switch {
	case c.Copy != nil:
		return c.Copy.Columns
	case len(c.Set) > 0:
		return c.Set
	}
	shown := make([]Assignment, len(c.Columns()))
	for i, column := range c.Columns() {
		shown[i] = Assignment{Column: column.Name, Type: column.Type, Base: column.Base}
	}
	return shown
}

func names(columns []Column) []string {
	all := make([]string, len(columns))
	for i, column := range columns {
		all[i] = column.Name
	}
	return all
}
