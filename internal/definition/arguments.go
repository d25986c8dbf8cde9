package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"backfill/internal/change"
)

// Arguments holds the values that a request gives against the declarations, and fills in defaults. Values are JSON
// as it came, so that an integer beyond 2^53 keeps its digits. The answer is in the order of the declarations.
func (d Definition) Arguments(given map[string]json.RawMessage) ([]change.Param, Problems) {
	var params []change.Param
	var problems Problems
	refuse := func(name, message, remedy string) {
		problems = append(problems, Problem{Path: join("params", name), Message: message, Remedy: remedy})
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := d.param(name); !ok {
			refuse(name, "the backfill has no such parameter", DidYouMean(name, d.paramNames()))
		}
	}
	for _, param := range d.Params {
		value, complaint, remedy := param.argument(given[param.Name])
		if complaint != "" {
			refuse(param.Name, complaint, remedy)
		}
		params = append(params, change.Param{Name: param.Name, Type: param.Type, Value: value})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return params, nil
}

// Texts turns texts, as a command line gives them, into what Arguments takes.
func Texts(given map[string]string) map[string]json.RawMessage {
	values := make(map[string]json.RawMessage, len(given))
	for name, text := range given {
		encoded, err := json.Marshal(text)
		if err != nil {
			panic(fmt.Sprintf("a string became no JSON: %v", err)) // encoding/json encodes every string
		}
		values[name] = encoded
	}
	return values
}

// argument gives the value's text, or what is wrong with it.
func (p Param) argument(given json.RawMessage) (value, complaint, remedy string) {
	raw := strings.TrimSpace(string(given))
	switch {
	case raw == "" && p.Optional:
		return p.Default, "", ""
	case raw == "":
		return "", "it is missing", fmt.Sprintf("give a value of type %s, like %s", p.Type, p.example())
	case raw == "null":
		return "", "it is null", "give a value, or leave it out where there is a default"
	case raw[0] == '[' || raw[0] == '{':
		return "", "it is a list or an object", "give a single value of type " + p.Type
	case raw[0] != '"':
		return p.check(raw)
	}
	var text string
	if err := json.Unmarshal(given, &text); err != nil {
		return "", "it is not JSON", "give a string, a number, true or false"
	}
	return p.check(text)
}

// check gives the text that travels to Postgres, or what is wrong with the value.
func (p Param) check(given string) (text, complaint, remedy string) {
	kind, _ := typeNamed(p.Type)
	text, ok := kind.parse(given)
	switch {
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

func (p Param) example() string {
	kind, _ := typeNamed(p.Type)
	return kind.example
}
