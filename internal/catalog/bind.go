package catalog

import (
	"fmt"
	"slices"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/expression"
)

// bind numbers the parameters of one expression and gives their values in that order. One whose value was refused is NULL.
func (r *resolver) bind(e expression.Expression) (func(name string) string, []any) {
	bound := map[string]string{}
	var values []any
	for _, name := range e.Params() {
		given := slices.IndexFunc(r.params, func(p change.Param) bool { return p.Name == name })
		switch sqlType := r.paramType(name); {
		case given >= 0:
			values = append(values, r.params[given].Value)
			bound[name] = fmt.Sprintf("$%d::%s", len(values), r.params[given].Type)
		case sqlType != "":
			bound[name] = "NULL::" + sqlType
		default:
			bound[name] = "NULL"
		}
	}
	return func(name string) string { return bound[name] }, values
}

// typed tells whether the types of all parameters of an expression are known.
func (r *resolver) typed(e expression.Expression) bool {
	return !slices.ContainsFunc(e.Params(), func(name string) bool { return r.paramType(name) == "" })
}

// paramType is the declared type of a parameter, "" where that could not be read.
func (r *resolver) paramType(name string) string {
	i := slices.IndexFunc(r.definition.Params, func(p definition.Param) bool { return p.Name == name })
	if i < 0 {
		return ""
	}
	return r.definition.Params[i].Type
}
