package definition

import (
	"slices"
	"strings"

	"backfill/internal/signal"
	"backfill/internal/window"
)

// shape is what a value may be, in the words of JSON Schema (draft 7, which editors read). It is made of the reader's own
// rules; what it cannot say (SQL, the table, two keys of one name) it leaves to the reader.
type shape map[string]any

// property is a key of a mapping, and what an editor is told of it.
type property struct {
	name, about string
	shape       shape
}

func singleValue(more shape) shape {
	all := shape{"type": []string{"string", "number", "boolean"}}
	for word, value := range more {
		all[word] = value
	}
	return all
}

// words is a value that says something: a text, or what YAML reads as a number.
func words() shape { return singleValue(shape{"minLength": 1}) }

// matching is a text of a pattern.
func matching(pattern string) shape { return singleValue(shape{"pattern": pattern}) }

// oneOfTexts is one of a few values.
func oneOfTexts[T ~string](values ...T) shape { return shape{"enum": values} }

func either(shapes ...shape) shape { return shape{"anyOf": shapes} }

// several is a value or a list of such.
func several(one shape, more shape) shape {
	list := shape{"type": "array", "items": one, "minItems": 1}
	for word, value := range more {
		list[word] = value
	}
	return either(one, list)
}

// number is a whole number, which may be written with _ between its digits: to an editor that is a text.
func number(least, most int64) shape {
	return either(shape{"type": "integer", "minimum": least, "maximum": most}, shape{"type": "string", "pattern": wholeNumber.String()})
}

// mapping is a mapping of known keys.
func mapping(properties []property, required ...string) shape {
	known := shape{}
	for _, p := range properties {
		described := shape{"description": p.about}
		for word, value := range p.shape {
			described[word] = value
		}
		known[p.name] = described
	}
	all := shape{"type": "object", "properties": known, "additionalProperties": false}
	if len(required) > 0 {
		all["required"] = required
	}
	return all
}

// namesOf are the keys of a mapping, for those who mistype one.
func namesOf(properties []property) []string {
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = p.name
	}
	return names
}

// named is a mapping whose keys a person names.
func named(pattern string, value shape) shape {
	return shape{"type": "object", "propertyNames": shape{"pattern": pattern}, "additionalProperties": value}
}

// column is a column's name.
func columnShape() shape { return singleValue(shape{"minLength": 1}) }

// paramsShape has each type under all its names, and min and max only where values have an order.
func paramsShape() shape {
	var types, unordered []string
	for _, t := range valueTypes {
		names := append([]string{t.name}, t.aliases...)
		types = append(types, names...)
		if t.compare == nil {
			unordered = append(unordered, names...)
		}
	}
	ofType := oneOfTexts(types...)
	declared := mapping(paramProperties(ofType), "type")
	declared["if"] = shape{"properties": shape{"type": oneOfTexts(unordered...)}}
	declared["then"] = shape{"properties": shape{"min": false, "max": false}}
	return named(paramPattern.String(), either(ofType, declared))
}

func paramProperties(ofType shape) []property {
	return []property{
		{"type", "type of the values that a run gives", ofType},
		{"default", "value of a run that gives none; without it each run has to give one", words()},
		{"min", "least value", words()},
		{"max", "greatest value", words()},
		{"description", "for people", words()},
	}
}

// windowsShape is one window or a list of them; each says days or hours.
func windowsShape() shape {
	one := mapping(windowProperties())
	one["anyOf"] = []shape{{"required": []string{"days"}}, {"required": []string{"hours"}}}
	return several(one, nil)
}

func windowProperties() []property {
	return []property{
		{"timezone", "like Europe/Berlin; default: UTC", words()},
		{"days", "mon-fri, sun; default: every day", several(matching(daysPattern()), nil)},
		{"hours", "20:00-06:00, past midnight it belongs to the day on which it opens; default: the whole day", matching(window.HoursPattern)},
	}
}

// daysPattern is days and ranges of them, in any case.
func daysPattern() string {
	var days []string
	for _, name := range window.DayNames() {
		var day strings.Builder
		for _, letter := range name {
			day.WriteString("[" + strings.ToUpper(string(letter)) + string(letter) + "]")
		}
		days = append(days, day.String())
	}
	day := "(" + strings.Join(days, "|") + ")"
	part := " *" + day + "(-" + day + ")? *"
	return "^" + part + "(," + part + ")*$"
}

// throttleShape has each signal by its name; any other name is a metric of the definition's own.
func throttleShape() shape {
	limit := either(shape{"type": "number", "minimum": 0, "maximum": signal.MaxLimit}, shape{"enum": []any{"off", "false", false}},
		shape{"type": "string", "pattern": `^[0-9][0-9_.]*$`})
	var signals []property
	for _, name := range signal.Names() {
		signals = append(signals, property{string(name), "limit in " + signal.Unit(name) + ", or off", limit})
	}
	all := mapping(signals)
	all["propertyNames"] = shape{"pattern": metricPattern.String()}
	all["additionalProperties"] = mapping(metricProperties(limit), metricRequired...)
	all["maxProperties"] = len(signals) + maxMetrics
	return all
}

func metricProperties(limit shape) []property {
	return []property{
		{"query", "a SELECT that gives one number", shape{"type": "string", "minLength": 1}},
		{"limit", "above it the runs of the database get slower; off: it is only shown", limit},
		{"unit", "a note for people", matching(unitPattern.String())},
	}
}

// alone is a file's kind: exactly one of the keys of kinds.
func alone() []shape {
	var keys []string
	for key := range kinds {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var one []shape
	for _, key := range keys {
		one = append(one, shape{"required": []string{key}})
	}
	return one
}
