package definition

import (
	"fmt"
	"slices"

	"backfill/internal/keyset"
)

// order reads which way chunks take through the keys.
func (r *reader) order(e entry) keyset.Order {
	text, ok := r.line(e, e.name)
	if ok && !slices.Contains(keyset.Orders(), keyset.Order(text)) {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither ascending nor descending", shorten(text)),
			"write order: descending to begin with the greatest keys, or remove the line to begin with the smallest")
	}
	return keyset.Order(text)
}

// ordered refuses a run that would go down from a bound that goes up.
func (r *reader) ordered(d Definition) {
	if d.Follow && d.Order == keyset.Descending {
		r.refuse(r.origins["order"].start, "order", "a run with rows: follow goes on behind the greatest key, so it cannot go down from it",
			"remove order, or rows: follow: then the rows that are there at the start are changed, the greatest keys first")
	}
}
