package definition

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// Transform says that a Go function computes what is written.
type Transform struct {
	Function string   // the name under which it is registered
	Reads    []string // columns' exact names, given to it beside the key
	Writes   []string // taken from it
}

// transformShape is the mapping, for editors.
func transformShape() shape { return mapping(transformProperties(), "function", "writes") }

func transformProperties() []property {
	return []property{
		{"function", "the name under which it is registered", words(), "", "transform: {function: email-hash, reads: email, writes: email_hash}"},
		{"reads", "columns that it gets, beside the key", several(columnShape(), shape{"uniqueItems": true}), "the key alone",
			"transform: {function: tax, reads: [net, country], writes: [tax]}"},
		{"writes", "columns that it gives", several(columnShape(), shape{"uniqueItems": true}), "",
			"transform: {function: tax, reads: [net, country], writes: [tax, gross]}"},
	}
}

// transform reads function, reads and writes.
func (r *reader) transform(e entry) (t Transform) {
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok {
		r.refuse(e.at(), e.name, "it is not a mapping", "write function, reads and writes on lines below it, indented")
		return t
	}
	r.origins[e.name] = origin{key: e.key, start: e.key}
	given := map[string]bool{}
	for _, field := range r.entries(mapping, e.name) {
		given[field.name] = true
		switch path := join(e.name, field.name); field.name {
		case "function":
			t.Function, _ = r.line(field, path)
		case "reads":
			t.Reads = r.columns(field, path)
		case "writes":
			if t.Writes = r.columns(field, path); t.Writes == nil && !r.complained(path) {
				r.refuse(field.at(), path, "the list is empty", "name the columns that the function gives values for")
			}
		default:
			r.refuse(field.key, e.name, fmt.Sprintf("the key %q is not known", field.name), DidYouMean(field.name, namesOf(transformProperties())))
		}
	}
	for _, required := range []string{"function", "writes"} {
		if !given[required] {
			r.refuse(e.key, e.name, "it has no "+required, "add "+required+": ...")
		}
	}
	return t
}

// complained tells whether there is a problem at a path, or below.
func (r *reader) complained(path string) bool { return r.problems.within(path) }

// columns reads a list of columns, or one.
func (r *reader) columns(e entry, path string) (columns []string) {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		if column, ok := r.column(e, path); ok {
			return []string{column}
		}
		return nil
	}
	r.origins[path] = origin{key: e.key, start: start(list)}
	for i, value := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		column, ok := r.column(entry{key: start(value), value: value}, at)
		switch {
		case !ok:
		case slices.Contains(columns, column):
			r.refuse(start(value), at, fmt.Sprintf("column %q is named twice", column), "remove one")
		default:
			columns = append(columns, column)
			r.origins[join(path, column)] = r.origins[at]
		}
	}
	return columns
}
