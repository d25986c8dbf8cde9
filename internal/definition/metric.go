package definition

import (
	"fmt"
	"regexp"
	"strings"

	"backfill/internal/expression"
	"backfill/internal/signal"

	"github.com/goccy/go-yaml/ast"
)

// maxMetrics bounds what is asked of a database every 2 s on behalf of one run.
const maxMetrics = 3

var (
	metricKeys     = namesOf(metricProperties())
	metricRequired = []string{"query", "limit"}
	metricPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	ofQueries      = strings.NewReplacer("an expression", "a query", "expression", "query")
	unitPattern    = regexp.MustCompile(`^[\p{L}\p{N}%/ ._-]{1,20}$`)
)

// metric reads a signal of the definition's own: name: {query, limit, unit}.
func (r *reader) metric(e entry, mapping *ast.MappingNode, path string) signal.Metric {
	m := signal.Metric{Name: signal.Name(e.name), Limit: signal.Off}
	switch {
	case signal.Known(m.Name):
		r.refuse(e.key, path, "it is a signal of its own", "write a number or off behind it, or give the metric another name")
	case !metricPattern.MatchString(e.name):
		r.refuse(e.key, path, "this is not a name of a metric", "use up to 40 lower case letters, digits and _, and begin with a letter")
	}
	if cut := cutByComma(mapping); cut != nil {
		r.refuse(start(cut), path, "inside of { } YAML ends a value at each comma, and this piece is left over",
			"write query, limit and unit on lines of their own below the name, indented, without { }")
		return m
	}
	given := map[string]bool{}
	for _, field := range r.entries(mapping, path) {
		given[field.name] = true
		switch at := join(path, field.name); field.name {
		case "query":
			m.Query = r.query(field, at)
		case "limit":
			if text, ok := r.line(field, at); ok {
				m.Limit = r.limit(field, at, text)
			}
		case "unit":
			if text, ok := r.line(field, at); ok && !unitPattern.MatchString(text) {
				r.refuse(field.at(), at, fmt.Sprintf("%q is no unit", shorten(text)), "write up to 20 letters, or remove the line")
			} else {
				m.Unit = text
			}
		default:
			r.refuse(field.key, path, fmt.Sprintf("the key %q is not known", field.name), DidYouMean(field.name, metricKeys))
		}
	}
	for _, required := range metricRequired {
		if !given[required] {
			r.refuse(e.key, path, "it has no "+required, "add "+required+": ...")
		}
	}
	return m
}

// query reads SQL that stands in parentheses when it is sent.
func (r *reader) query(e entry, path string) string {
	s, ok := r.scalar(e, path)
	if !ok || s.plain && !r.whole(e, path) {
		return ""
	}
	text := strings.TrimRight(s.text, " \n")
	parsed, problems := expression.Parse("(" + text + "\n)")
	for _, problem := range problems[:min(len(problems), mostOfOne)] {
		r.refuse(r.origins[path].at(max(0, problem.Offset-1)), path, ofQueries.Replace(problem.Message), ofQueries.Replace(problem.Remedy))
	}
	if _, within := expression.Parse("[" + text + "\n]"); len(problems) == 0 && len(within) > 0 {
		r.refuse(r.origins[path].at(max(0, within[0].Offset-1)), path, ") closes nothing: it would end the query", "remove it, or open it before")
	}
	if names := parsed.Params(); len(names) > 0 {
		r.refuse(e.at(), path, "@"+names[0]+" is a parameter, and a metric has none", "write the value")
	}
	if upper := strings.ToUpper(text); len(problems) == 0 && !strings.HasPrefix(upper, "SELECT") && !strings.HasPrefix(upper, "WITH") {
		r.refuse(e.at(), path, "a query begins with SELECT", "write SELECT and what gives one number")
	}
	return text
}
