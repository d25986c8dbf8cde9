package definition

import (
	"fmt"
	"slices"

	"backfill/internal/change"

	"github.com/goccy/go-yaml/ast"
)

// Copy is what a definition copies its rows into.
type Copy struct {
	Into        change.Table
	Columns     []Assignment // of Into; empty: those of the same name
	OnConflict  change.OnConflict
	ConflictKey []string // columns of Into; empty: its primary key
	Move        bool     // they are deleted where they were
}

// copyShape is the mapping, for editors.
func copyShape() shape { return mapping(copyProperties(), "into") }

// copyProperties are the keys below copy.
func copyProperties() []property {
	return []property{
		{"into", "the table that is written, of the same database; as table", matching(tablePattern), "", "copy: {into: archive.orders}"},
		{"columns", "column of it: SQL expression over the row that is read", setShape(), "all columns of the same name",
			"copy: {into: archive.orders, columns: {id: id, total_cents: round(total * 100)::bigint}}"},
		{"on_conflict", "what becomes of a row whose place another one has", oneOfTexts(change.OnConflicts()...), string(change.Fail),
			"copy: {into: archive.orders, on_conflict: nothing}"},
		{"conflict_key", "for update: the columns that tell which row it is", several(columnShape(), shape{"uniqueItems": true}), "the primary key",
			"copy: {into: archive.orders, on_conflict: update, conflict_key: [tenant_id, id]}"},
		{"move", "true: the rows are deleted where they were", shape{"enum": []any{true, false, "true", "false"}}, "false",
			"copy: {into: archive.orders, move: true}"},
	}
}

// copying reads what stands below copy.
func (r *reader) copying(e entry) *Copy {
	c := &Copy{OnConflict: change.Fail}
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok {
		r.refuse(e.at(), e.name, "it does not say where to", "write a line below it, indented: into: schema.table")
		return c
	}
	r.origins[e.name] = origin{key: e.key, start: e.key}
	given := r.entries(mapping, e.name)
	for _, below := range given {
		below.name = join(e.name, below.name)
		r.copyField(c, below)
	}
	if !slices.ContainsFunc(given, func(e entry) bool { return e.name == "into" }) {
		r.refuse(e.key, join(e.name, "into"), "it is missing", "add a line into: schema.table, indented")
	}
	if len(c.ConflictKey) > 0 && (c.OnConflict == change.Fail || c.OnConflict == change.Nothing) {
		r.refuse(r.origins["copy.conflict_key"].start, "copy.conflict_key", "it tells the rows apart that are updated, and none is",
			"remove it, or write on_conflict: update")
	}
	return c
}

func (r *reader) copyField(c *Copy, e entry) {
	switch e.name {
	case "copy.into":
		c.Into = r.table(e)
	case "copy.columns":
		c.Columns = r.set(e)
	case "copy.on_conflict":
		c.OnConflict = r.onConflict(e)
	case "copy.conflict_key":
		c.ConflictKey = r.key(e)
		if _, there := r.origins[e.name]; !there { // it could not be read
			r.origins[e.name] = origin{key: e.key, start: e.key}
		}
	case "copy.move":
		c.Move = r.move(e)
	default:
		name := e.name[len("copy."):]
		r.refuse(e.key, "copy", fmt.Sprintf("the key %q is not known", name), DidYouMean(name, namesOf(copyProperties())))
	}
}

// onConflict reads what becomes of a row whose place is taken.
func (r *reader) onConflict(e entry) change.OnConflict {
	text, ok := r.line(e, e.name)
	if ok && !slices.Contains(change.OnConflicts(), change.OnConflict(text)) {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither fail, nothing nor update", shorten(text)),
			"write on_conflict: nothing to pass over such a row, update to write its values, or remove the line to have it fail")
	}
	return change.OnConflict(text)
}

// move reads whether the rows are deleted where they were.
func (r *reader) move(e entry) bool {
	text, ok := r.line(e, e.name)
	if ok && text != "true" && text != "false" {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither true nor false", shorten(text)), "write move: true to delete the rows where they were, or remove the line")
	}
	return text == "true"
}

// moves refuses a move of which nobody would know where a row is.
func (r *reader) moves(d Definition) {
	if d.Kind != change.Move {
		return
	}
	at := r.origins["copy.move"].key
	switch {
	case d.Copy.OnConflict == change.Nothing:
		r.refuse(at, "copy.move", "a row that is passed over, since its place is taken, can neither go nor be told from those that are left",
			"write on_conflict: fail, with an error_budget for such rows, or update")
	case d.Copy.OnConflict == change.Update && d.Undo:
		r.refuse(at, "copy.move", "a rollback could not part a row that was moved from the one that it was written over", "write on_conflict: fail, or undo: off")
	}
}

// copied lists the columns that a copy names, with their expressions.
func (d Definition) copied() []Assignment {
	if d.Copy == nil {
		return nil
	}
	return d.Copy.Columns
}
