package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/change"
)

// Arguments holds the values that a request gives against the declarations, and fills in defaults. Values are what
// encoding/json decodes; numbers as json.Number (UseNumber), so that an integer beyond 2^53 keeps its digits. The
// answer is in the order of the declarations, without what is refused; a declaration that was refused takes any value.
func (d Definition) Arguments(given map[string]any) ([]change.Param, Problems) {
	var params []change.Param
	var problems Problems
	refuse := func(name, message, remedy string) {
		problems = append(problems, Problem{Path: join("params", name), Message: message, Remedy: remedy})
	}
	known := d.paramNames()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			refuse(name, "the backfill has no such parameter", DidYouMean(name, known))
		}
	}
	for _, param := range d.Params {
		if d.Refused(join("params", param.Name)) {
			continue
		}
		value, there := given[param.Name]
		text, complaint, remedy := param.argument(value, there)
		if complaint != "" {
			refuse(param.Name, complaint, remedy)
			continue
		}
		params = append(params, change.Param{Name: param.Name, Type: param.Type, Value: text})
	}
	return params, problems
}

// Examples adds a value of the type, within its limits, for each parameter that has to be given and is not: to check
// statements with, never to run.
func (d Definition) Examples(given map[string]any) map[string]any {
	all := maps.Clone(given)
	if all == nil {
		all = map[string]any{}
	}
	for _, param := range d.Params {
		if _, there := all[param.Name]; !there && !param.Optional && !d.Refused(join("params", param.Name)) {
			all[param.Name] = param.example()
		}
	}
	return all
}

func (p Param) example() string {
	kind, _ := typeNamed(p.Type)
	for _, value := range []string{kind.example, p.Min, p.Max} {
		if _, complaint, _ := p.check(value); value != "" && complaint == "" {
			return value
		}
	}
	return kind.example
}

// argument gives the value's text, or what is wrong with it.
func (p Param) argument(given any, there bool) (text, complaint, remedy string) {
	switch value := given.(type) {
	case nil:
		return p.absent(there)
	case string:
		return p.check(value)
	case json.Number:
		return p.check(value.String())
	case bool:
		return p.check(strconv.FormatBool(value))
	case float64:
		return "", "its digits are lost, as it was read as a floating point number", "give it as a text"
	}
	return "", "it is a list or an object", "give a single value of type " + p.Type
}

func (p Param) absent(there bool) (text, complaint, remedy string) {
	switch {
	case there:
		return "", "it is null", "give a value, or leave it out where there is a default"
	case p.Optional:
		return p.Default, "", ""
	}
	kind, _ := typeNamed(p.Type)
	return "", "it is missing", fmt.Sprintf("give a value of type %s, like %s", p.Type, kind.example)
}

// check gives the text that travels to Postgres, or what is wrong with the value.
func (p Param) check(given string) (text, complaint, remedy string) {
	kind, _ := typeNamed(p.Type)
	text, ok := kind.parse(given)
	switch {
	case strings.ContainsRune(given, 0):
		return "", "it holds a NUL character", "remove it; Postgres does not take it"
	case !ok:
		return "", fmt.Sprintf("%q is not of type %s", shorten(given), p.Type), "write it like " + kind.example
	case p.Min != "" && kind.compare(text, p.Min) < 0:
		return "", fmt.Sprintf("%s is less than the least that is allowed, %s", shorten(text), p.Min), p.between()
	case p.Max != "" && kind.compare(text, p.Max) > 0:
		return "", fmt.Sprintf("%s is more than the most that is allowed, %s", shorten(text), p.Max), p.between()
	}
	return text, "", ""
}

func (p Param) between() string {
	switch {
	case p.Max == "":
		return "give " + p.Min + " or more"
	case p.Min == "":
		return "give " + p.Max + " or less"
	}
	return fmt.Sprintf("give a value from %s to %s", p.Min, p.Max)
}
