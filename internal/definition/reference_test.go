package definition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/figure"
)

// level is a mapping of the file.
type level struct {
	title      string
	properties []property
	required   []string
}

func levels() []level {
	return []level{
		{"The file", properties(), required},
		{"Below `params`, for each name", paramProperties(nil), []string{"type"}},
		{"Below `windows`, for each of them", windowProperties(), nil},
		{"Below `copy`", copyProperties(), []string{"into"}},
		{"Below `transform`", transformProperties(), []string{"function", "writes"}},
		{"Below `throttle`: limits of signals", signalProperties(), nil},
		{"Below `throttle`, for each metric of your own", metricProperties(), metricRequired},
	}
}

// pages are where more is said of a key of the file.
var pages = map[string]string{
	"database": "deploy.md#several-databases", "set": "kinds/set.md", "from": "kinds/join.md", "join": "kinds/join.md", "unmatched": "kinds/join.md", "delete": "kinds/delete.md",
	"archive": "kinds/delete.md#an-archive", "copy": "kinds/copy.md", "transform": "kinds/transform.md", "depends_on": "#one-after-the-other",
	"rows": "#rows-that-come-meanwhile", "order": "#the-newest-rows-first", "throttle": "signals.md", "verify": "verify.md", "repeatable": "verify.md",
}

// Reference is what docs/definitions.md says of each key.
func Reference() string {
	var b strings.Builder
	for _, l := range levels() {
		fmt.Fprintf(&b, "### %s\n| key | what it is | values | default | example |\n|---|---|---|---|---|\n", l.title)
		for _, p := range l.properties {
			top := l.title == "The file"
			name, about, otherwise := "`"+p.name+"`", p.about, p.otherwise
			if page := pages[p.name]; top && page != "" {
				name = "[" + name + "](" + page + ")"
			}
			if needs := needsOf(p.name); top && needs != nil {
				about += "; goes with `" + strings.Join(needs, "` and `") + "`"
			}
			switch _, kind := kinds[p.name]; {
			case slices.Contains(l.required, p.name):
				otherwise = "required"
			case top && kind:
				otherwise = "one of `set`, `delete`, `transform`, `copy` is required"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` |\n", name, about, values(p.shape), otherwise, p.example)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func needsOf(key string) []string {
	for _, f := range fields {
		if f.name == key {
			return f.needs
		}
	}
	return nil
}

// said is a shape, as JSON has it.
type said struct {
	Type                              any
	Enum                              []any
	AnyOf                             []said
	Minimum, Maximum                  *float64
	MaxItems, MinItems, MaxProperties int
	Properties                        map[string]any
}

// values are what the schema says of a key's values in a few words; "" where there is more to it.
func values(s shape) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	var all said
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	return all.words()
}

func (s said) words() string {
	switch {
	case len(s.Enum) > 0:
		return list(s.Enum)
	case s.Minimum != nil && s.Type == "integer":
		return figure.Count(int64(*s.Minimum)) + " to " + figure.Count(int64(*s.Maximum))
	case s.Minimum != nil:
		return "a number from " + figure.Count(int64(*s.Minimum))
	case s.MaxItems > 0:
		return "one, or a list of up to " + figure.Count(int64(s.MaxItems))
	case s.MinItems > 0:
		return "one, or a list"
	case s.MaxProperties > 0 && s.Properties == nil:
		return "up to " + figure.Count(int64(s.MaxProperties))
	}
	var parts []string
	for _, one := range s.AnyOf {
		if words := one.words(); words != "" {
			parts = append(parts, words)
		}
	}
	return strings.Join(parts, ", or ")
}

// list leaves out YAML's other words for on and off.
func list(enum []any) string {
	var words []string
	for _, value := range enum {
		word := fmt.Sprintf("`%v`", value)
		also := slices.Contains(enum, any("off")) && (word == "`true`" || word == "`false`")
		if !also && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}
