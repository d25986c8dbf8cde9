// Package expression reads one SQL expression of a definition and finds its parameters, written @name.
//
// It owns the lexical rules: where strings, names, operators and parameters begin and end, and what one expression
// may not hold (a second expression, another clause, a comment). It does not know SQL's grammar, types or functions:
// Postgres judges those when catalog prepares the expression. Invariants: an Expression was accepted by Parse or is
// empty; text inside strings and quoted names is never taken for a parameter; in parentheses, an accepted text stays
// inside them.
package expression

import (
	"slices"
	"strings"
)

// Expression is an accepted text. The zero value is no expression.
type Expression struct {
	text    string
	params  []token
	untyped bool
}

// Problem is a reason to refuse a text.
type Problem struct {
	Offset  int // in bytes, where the text is at fault
	Message string
	Remedy  string
}

// Parse accepts the text of one expression, or says all that is wrong with it.
func Parse(text string) (Expression, []Problem) {
	tokens, problems := lex(text)
	problems = append(problems, check(text, tokens)...)
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return a.Offset - b.Offset })
		return Expression{}, problems
	}
	isParam := func(t token) bool { return t.kind == parameter }
	return Expression{text: text, untyped: untyped(text, tokens), params: slices.DeleteFunc(tokens, func(t token) bool { return !isParam(t) })}, nil
}

// String gives the text as it was parsed.
func (e Expression) String() string { return e.text }

// IsZero tells whether there is no expression.
func (e Expression) IsZero() bool { return e.text == "" }

// Untyped tells whether the expression is a string or NULL alone, which takes the type of the place where it stands.
func (e Expression) Untyped() bool { return e.untyped }

func untyped(text string, tokens []token) bool {
	return !slices.ContainsFunc(tokens, func(t token) bool {
		word := text[t.start:t.end]
		return t.kind != literal && word != "(" && word != ")" && !strings.EqualFold(word, "null")
	})
}

// Params lists the names of the parameters, each once, in order of appearance.
func (e Expression) Params() []string {
	var names []string
	for _, param := range e.params {
		if name := e.name(param); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Bind gives the text with each @name replaced by what value returns for the name. A cast needs parentheses of its
// own, ($1::text): subscripts and other casts may follow in the text.
func (e Expression) Bind(value func(name string) string) string {
	var bound strings.Builder
	end := 0
	for _, param := range e.params {
		bound.WriteString(e.text[end:param.start])
		bound.WriteString(value(e.name(param)))
		end = param.end
	}
	bound.WriteString(e.text[end:])
	return bound.String()
}

// Origin gives the offset in the text for an offset in what Bind returns for the same values. An offset inside of a
// value becomes the start of its @name.
func (e Expression) Origin(offset int, value func(name string) string) int {
	for _, param := range e.params {
		if offset <= param.start {
			break
		}
		size := len(value(e.name(param)))
		if offset < param.start+size {
			return param.start
		}
		offset += param.end - param.start - size
	}
	return max(0, min(offset, len(e.text)))
}

// Where gives the offset at which the parameter first appears, or -1.
func (e Expression) Where(name string) int {
	for _, param := range e.params {
		if e.name(param) == name {
			return param.start
		}
	}
	return -1
}

func (e Expression) name(param token) string { return e.text[param.start+1 : param.end] }
