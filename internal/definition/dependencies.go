package definition

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// maxDependencies bounds what is looked up at each start.
const maxDependencies = 20

func dependenciesShape() shape {
	return several(matching(namePattern.String()), shape{"uniqueItems": true, "maxItems": maxDependencies})
}

// dependsOn reads the backfills that have to be done before: one name, or a list.
func (r *reader) dependsOn(e entry) []string {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		if name, ok := r.dependency(e, e.name); ok {
			return []string{name}
		}
		return nil
	}
	r.origins[e.name] = origin{key: e.key, start: start(list)}
	switch n := len(list.Values); {
	case n == 0:
		r.refuse(start(list), e.name, "the list is empty", "name the backfills that have to be done before, or remove the line")
	case n > maxDependencies:
		r.refuse(start(list), e.name, fmt.Sprintf("there are %d names", n), fmt.Sprintf("keep up to %d: one that depends on others waits for those as well", maxDependencies))
	}
	var names []string
	for i, value := range list.Values {
		path := fmt.Sprintf("%s[%d]", e.name, i)
		name, ok := r.dependency(entry{key: start(value), value: value}, path)
		switch {
		case !ok:
		case slices.Contains(names, name):
			r.refuse(start(value), path, fmt.Sprintf("%s is named twice", name), "remove one")
		default:
			names = append(names, name)
		}
	}
	return names
}

func (r *reader) dependency(e entry, path string) (string, bool) {
	name, ok := r.line(e, path)
	if ok && !IsName(name) {
		r.refuse(e.at(), path, fmt.Sprintf("%q is not a name of a backfill", shorten(name)),
			"write the name alone, without a version: lower case letters, digits and hyphens")
		return "", false
	}
	return name, ok
}

// independent refuses a definition that waits for itself.
func (r *reader) independent(d Definition) {
	if d.Name != "" && slices.Contains(d.DependsOn, d.Name) {
		r.refuse(r.origins["depends_on"].start, "depends_on", d.Name+" depends on itself, so it could never start", "remove its own name")
	}
}
