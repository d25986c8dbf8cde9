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

// property is a key of a mapping, and what people are told of it.
type property struct {
	name, about string
	shape       shape
	otherwise   string // what holds without it; "": nothing does
	example     string // a line of a file that has it
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
		known[p.name] = p.described()
	}
	all := shape{"type": "object", "properties": known, "additionalProperties": false}
	if len(required) > 0 {
		all["required"] = required
	}
	return all
}

// described is the value of a key with what editors show of it.
func (p property) described() shape {
	all := shape{"description": p.about, "examples": []sample{{p.name, p.example}}}
	if p.otherwise != "" {
		all["description"] = p.about + "; default: " + p.otherwise
	}
	for word, value := range p.shape {
		all[word] = value
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
		{"type", "type of the values that a run gives: " + typeNames(), ofType, "", "params: {since: {type: timestamptz}}"},
		{"default", "value of a run that gives none", words(), "each run has to give one", "params: {since: {type: date, default: 2024-01-31}}"},
		{"min", "least value", words(), "", "params: {least: {type: integer, min: 1}}"},
		{"max", "greatest value", words(), "", "params: {least: {type: integer, min: 1, max: 99}}"},
		{"description", "a note for those who start a run", words(), "", "params: {since: {type: date, description: the first day that counts}}"},
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
		{"timezone", "of days and hours, as Europe/Berlin", words(), "UTC", "windows: {hours: 20:00-06:00, timezone: America/New_York}"},
		{"days", "days, and ranges of them", several(matching(daysPattern()), nil), "every day", "windows: {days: [mon-thu, sat]}"},
		{"hours", "from-until; past midnight it belongs to the day on which it opens", matching(window.HoursPattern), "the whole day", "windows: {hours: 20:00-06:00}"},
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
	signals := signalProperties()
	all := mapping(signals)
	all["propertyNames"] = shape{"pattern": metricPattern.String()}
	all["additionalProperties"] = mapping(metricProperties(), metricRequired...)
	all["maxProperties"] = len(signals) + maxMetrics
	return all
}

// limitShape is a limit: a number, or off.
func limitShape() shape {
	return either(shape{"type": "number", "minimum": 0, "maximum": signal.MaxLimit}, shape{"enum": []any{"off", "false", false}},
		shape{"type": "string", "pattern": `^[0-9][0-9_.]*$`})
}

// limitExamples are limits that differ from the defaults.
var limitExamples = map[signal.Name]string{
	signal.LockWaiters: "4", signal.WaitForUs: "1", signal.Active: "50", signal.Running: "8", signal.IOWaits: "off", signal.LWLockWaits: "8",
	signal.ReplicaBytes: "64_000_000", signal.ReplicaTime: "off", signal.SlotBytes: "4_000_000_000", signal.WALRate: "50_000_000",
	signal.Unarchived: "off", signal.Horizon: "3_600", signal.Autovacuum: "0", signal.TransactionID: "500_000_000", signal.CommitTime: "50", signal.Alarm: "off",
}

func signalProperties() []property {
	var all []property
	for _, name := range signal.Names() {
		about := signal.About(name)
		if unit := signal.Unit(name); unit != "" && unit != "sessions" {
			about += "; in " + unit
		}
		all = append(all, property{string(name), about, limitShape(), signal.Limits{}.Text(name), "throttle: {" + string(name) + ": " + limitExamples[name] + "}"})
	}
	return all
}

func metricProperties() []property {
	return []property{
		{"query", "a SELECT that gives one number", shape{"type": "string", "minLength": 1}, "",
			"throttle: {queue_depth: {query: SELECT count(*) FROM jobs, limit: 1_000}}"},
		{"limit", "above it the runs of the database get slower; off: it is only shown", limitShape(), "",
			"throttle: {oldest_job: {query: SELECT max(age) FROM jobs, limit: off}}"},
		{"unit", "a note for people", matching(unitPattern.String()), "",
			"throttle: {queue_depth: {query: SELECT count(*) FROM jobs, limit: 1_000, unit: jobs}}"},
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
