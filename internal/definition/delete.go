package definition

import (
	"fmt"
	"slices"

	"backfill/internal/change"
)

// deletion reads the key that says that the rows in scope are deleted.
func (r *reader) deletion(e entry) {
	if text, ok := r.line(e, e.name); ok && text != "true" {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is not true", shorten(text)), "write delete: true; table says of which table, and where which rows")
	}
}

// scoped refuses a deletion that does not say which rows: a line that was forgotten must not empty a table.
func (r *reader) scoped(d Definition, given []entry) {
	if d.Kind != change.Delete {
		return
	}
	if slices.ContainsFunc(given, means("where")) { // as fields says that it needs it
		return
	}
	var at position
	for _, e := range given {
		if e.name == "delete" {
			at = e.key
		}
	}
	r.refuse(at, "where", "a definition that deletes needs it", "add a line where: ...; where: true takes every row, as TRUNCATE does by hand and at once")
}
