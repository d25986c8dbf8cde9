package definition

import (
	"fmt"
	"strings"

	"backfill/internal/expression"
)

// invariant reads the query of verify. It is kept in parentheses: so it can be no more than one SELECT.
func (r *reader) invariant(e entry) expression.Expression {
	s, ok := r.scalar(e, e.name)
	if !ok || s.plain && !r.whole(e, e.name) {
		r.unread = true
		return expression.Expression{}
	}
	text := strings.TrimRight(s.text, " \n")
	parsed, problems := expression.Parse("(" + text + "\n)")
	for _, problem := range problems {
		r.refuse(r.origins[e.name].at(max(0, problem.Offset-1)), e.name, ofQueries.Replace(problem.Message), ofQueries.Replace(problem.Remedy))
		r.unread = true
	}
	if upper := strings.ToUpper(text); len(problems) == 0 && !strings.HasPrefix(upper, "SELECT") && !strings.HasPrefix(upper, "WITH") {
		r.refuse(e.at(), e.name, "a query begins with SELECT", "write SELECT and what gives true, or the number of rows that break it: SELECT count(*) FROM .. WHERE ..")
		r.unread = true
		return expression.Expression{}
	}
	return parsed
}

// repeatable reads true or false.
func (r *reader) repeatable(e entry) bool {
	text, ok := r.line(e, e.name)
	if ok && text != "true" && text != "false" {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither true nor false", shorten(text)),
			"write repeatable: true where the expressions give the same for a row that was written already, or remove the line")
	}
	return text == "true"
}
