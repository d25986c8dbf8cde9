package definition

import (
	"fmt"
	"regexp"
	"slices"

	"backfill/internal/expression"

	"github.com/goccy/go-yaml/ast"
)

var paramPattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

var paramKeys = namesOf(paramProperties(nil))

// params reads the declarations: name: type, or name: {type, default, min, max, description}.
func (r *reader) params(e entry) []Param {
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok {
		r.refuse(e.at(), e.name, "it is not a mapping", "write a line below it, indented: name: type")
		return nil
	}
	var list []Param
	for _, declared := range r.entries(mapping, e.name) {
		path := join(e.name, declared.name)
		if !paramPattern.MatchString(declared.name) {
			r.refuse(declared.key, path, "this is not a name of a parameter",
				"use lower case letters, digits and _, and begin with a letter")
		}
		list = append(list, r.param(declared, path))
		r.origins[path] = origin{key: declared.key, start: declared.key}
	}
	return list
}

func (r *reader) param(e entry, path string) Param {
	param := Param{Name: e.name}
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok {
		param.Type = r.paramType(e, path)
		return param
	}
	fields := map[string]entry{}
	for _, field := range r.entries(mapping, path) {
		fields[field.name] = field
		if !slices.Contains(paramKeys, field.name) {
			r.refuse(field.key, path, fmt.Sprintf("the key %q is not known", field.name), DidYouMean(field.name, paramKeys))
		}
	}
	if _, ok := fields["type"]; !ok {
		r.refuse(e.key, path, "it has no type", "add type: and one of "+typeNames())
		return param
	}
	if param.Type = r.paramType(fields["type"], path); param.Type != "" {
		r.bounds(&param, fields, path)
	}
	return param
}

func (r *reader) paramType(e entry, path string) string {
	name, ok := r.line(e, path)
	if !ok {
		return ""
	}
	known, ok := typeNamed(name)
	if !ok {
		r.refuse(e.at(), path, fmt.Sprintf("%q is not a type of a parameter", shorten(name)), "use one of "+typeNames())
	}
	return known.name
}

// bounds reads what depends on the type.
func (r *reader) bounds(param *Param, fields map[string]entry, path string) {
	if e, ok := fields["description"]; ok {
		param.Description, _ = r.line(e, join(path, "description"))
	}
	param.Min = r.bound(*param, fields, path, "min")
	param.Max = r.bound(*param, fields, path, "max")
	if kind, _ := typeNamed(param.Type); param.Min != "" && param.Max != "" && kind.compare(param.Min, param.Max) > 0 {
		r.refuse(fields["min"].at(), path, fmt.Sprintf("min %s is greater than max %s", param.Min, param.Max), "exchange them")
		return
	}
	if e, ok := fields["default"]; ok {
		param.Default, param.Optional = r.value(*param, e, join(path, "default"))
	}
}

// bound reads min or max, "" when it is not given.
func (r *reader) bound(param Param, fields map[string]entry, path, which string) string {
	e, ok := fields[which]
	if !ok {
		return ""
	}
	if kind, _ := typeNamed(param.Type); kind.compare == nil {
		r.refuse(e.key, join(path, which), "values of type "+param.Type+" have no "+which,
			"remove the line; min and max are for numbers, dates and timestamps")
		return ""
	}
	text, _ := r.value(Param{Name: param.Name, Type: param.Type}, e, join(path, which))
	return text
}

// value reads a value of the parameter's type.
func (r *reader) value(param Param, e entry, path string) (string, bool) {
	if _, null := e.value.(*ast.NullNode); null {
		r.refuse(e.at(), path, "it is empty", "write a value, or remove the line: without default a run has to give one")
		return "", false
	}
	s, ok := r.scalar(e, path)
	if !ok {
		return "", false
	}
	text, complaint, remedy := param.check(s.text)
	if complaint != "" {
		r.refuse(e.at(), path, complaint, remedy)
	}
	return text, complaint == ""
}

// parameters holds the declarations against the expressions.
func (r *reader) parameters(d Definition) {
	used := map[string]bool{}
	r.uses(d, d.Where, "where", used)
	r.uses(d, d.Verify, "verify", used)
	for _, assignment := range d.Set {
		r.uses(d, assignment.Expression, join("set", assignment.Column), used)
	}
	for _, assignment := range d.copied() {
		r.uses(d, assignment.Expression, join("copy.columns", assignment.Column), used)
	}
	if d.Join != nil {
		r.uses(d, d.Join.On, "join", used)
	}
	for _, param := range d.Params {
		mentioned := used[param.Name] || r.unread && r.text.holds("@"+param.Name)
		if path := join("params", param.Name); !mentioned && !r.problems.within(path) {
			r.refuse(r.origins[path].start, path, "it is declared and not used", "write @"+param.Name+" where it belongs, or remove it")
		}
	}
}

func (r *reader) uses(d Definition, e expression.Expression, path string, used map[string]bool) {
	known := d.paramNames()
	unreadable := slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Path == "params" })
	for _, name := range e.Params() {
		used[name] = true
		if !slices.Contains(known, name) && !unreadable {
			remedy := "declare it under params"
			if nearest := Nearest(name, known); nearest != "" {
				remedy = fmt.Sprintf("did you mean @%s?", nearest)
			}
			offset := e.Where(name)
			if path == "verify" { // of the parenthesis that is not in the file
				offset--
			}
			r.refuse(r.origins[path].at(offset), path, "@"+name+" is not declared", remedy)
		}
	}
}
