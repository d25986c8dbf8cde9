package definition

import (
	"fmt"

	"backfill/internal/change"

	"github.com/goccy/go-yaml/ast"
)

// kinds are the kinds of a change, by the key that stands for each in a file.
var kinds = map[string]change.Kind{"set": change.Set, "delete": change.Delete, "copy": change.Copy, "transform": change.Transform}

// kind settles what a definition does to its rows: exactly one of the keys of kinds says it.
func (r *reader) kind(d *Definition, root *ast.MappingNode, given []entry) {
	for _, e := range given {
		kind, names := kinds[e.name]
		switch {
		case !names:
		case d.Kind != "":
			r.refuse(e.key, e.name, fmt.Sprintf("the file has %s already, and they exclude each other", d.Kind), "remove one of them")
		default:
			d.Kind = kind
		}
	}
	if d.Kind == change.Copy && d.Copy.Move {
		d.Kind = change.Move
	}
	if d.Kind == "" {
		r.refuse(start(root), "set", "it is missing", "add a line set: ..., copy: ..., transform: ..., or delete: true")
	}
}
