package definition

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// set reads the columns that are written, with their expressions.
func (r *reader) set(e entry) []Assignment {
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok || len(mapping.Values) == 0 {
		r.refuse(e.at(), e.name, "no column is set", "write a line below it, indented: column: expression")
		return nil
	}
	r.origins[e.name] = origin{key: e.key, start: e.key}
	if cut := cutByComma(mapping); cut != nil {
		r.refuse(start(cut), e.name, "inside of { } YAML ends a value at each comma, and this piece is left over",
			"write each column on a line of its own below "+e.name+", indented, without { }")
		return nil
	}
	var list []Assignment
	for _, column := range r.entries(mapping, e.name) {
		path := join(e.name, column.name)
		r.origins[path] = origin{key: column.key, start: column.at()}
		parsed := r.expression(column, path)
		name, named := r.columnName(column.name, column.key, path)
		switch {
		case !named:
		case slices.ContainsFunc(list, func(a Assignment) bool { return a.Column == name }):
			r.refuse(column.key, path, "the column is set twice", "remove one")
		default:
			list = append(list, Assignment{Column: name, Expression: parsed})
			r.origins[join(e.name, name)] = r.origins[path]
		}
	}
	return list
}

func setShape() shape {
	return shape{"type": "object", "minProperties": 1, "propertyNames": shape{"minLength": 1},
		"additionalProperties": shape{"type": []string{"string", "number", "boolean", "null"}, "minLength": 1}}
}

// cutByComma finds what is left of {a: f(b, c)}: YAML reads the entries "a: f(b" and "c)".
func cutByComma(mapping *ast.MappingNode) ast.Node {
	for _, value := range mapping.Values {
		if mapping.IsFlowStyle && (entry{value: value.Value}).at() == (position{}) {
			return value.Key
		}
	}
	return nil
}
