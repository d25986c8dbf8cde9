package definition

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"backfill/internal/expression"
)

// scalar is a single value as it stands in the file: 1.50 stays 1.50.
type scalar struct {
	text  string
	style style
	plain bool // a bare text, not a number, a boolean or null
}

// scalar reads a single value and remembers where it stands.
func (r *reader) scalar(e entry, path string) (scalar, bool) {
	s, ok := read(e.value)
	if !ok {
		r.refuse(e.at(), path, "it is "+describe(e.value)+", and a single value is expected", "write one value after the colon")
		return scalar{}, false
	}
	if e.value.GetToken().Type == token.ImplicitNullType {
		r.refuse(e.key, path, "it has no value", "write one, or remove the line")
		return scalar{}, false
	}
	at := e.at()
	spots := r.text.spots(at, s.style, s.text)
	r.origins[path] = origin{key: e.key, start: at, text: s.text, spots: spots, quoted: s.style == single || s.style == double}
	if strings.ContainsRune(s.text, 0) {
		r.refuse(at, path, "there is a NUL character", "remove it; Postgres does not take it")
		return scalar{}, false
	}
	return s, true
}

func read(node ast.Node) (scalar, bool) {
	switch node := node.(type) {
	case *ast.LiteralNode:
		return scalar{text: node.Value.Value, style: block}, true
	case *ast.StringNode:
		return scalar{text: node.Value, style: styles[node.Token.Type], plain: styles[node.Token.Type] == bare}, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return scalar{text: node.GetToken().Value}, true
	}
	return scalar{}, false
}

var styles = map[token.Type]style{token.SingleQuoteType: single, token.DoubleQuoteType: double}

// at gives the place of the value, or of its key when the value cannot be seen.
func (e entry) at() position {
	if e.value == nil || e.value.GetToken().Type == token.ImplicitNullType {
		return e.key
	}
	return start(e.value)
}

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	}
	return "none of text, number, true, false and null"
}

// line reads a single value that must say something.
func (r *reader) line(e entry, path string) (string, bool) {
	s, ok := r.scalar(e, path)
	text := strings.TrimSpace(s.text)
	if _, null := e.value.(*ast.NullNode); ok && (text == "" || null) {
		r.refuse(e.at(), path, "it is empty", "write a value, or remove the line")
		return "", false
	}
	return text, ok
}

// mostOfOne bounds what is told of one expression: to place a problem takes time with the length of the text before it.
const mostOfOne = 20

// expression reads SQL. What YAML would cut off or join silently is refused: a lost piece changes data.
func (r *reader) expression(e entry, path string) expression.Expression {
	s, ok := r.scalar(e, path)
	if !ok || s.plain && !r.whole(e, path) {
		r.unread = true
		return expression.Expression{}
	}
	if path == "where" && strings.TrimSpace(s.text) == "" {
		r.refuse(r.origins[path].at(0), path, "the condition is empty", "write one, or remove the line for every row")
		return expression.Expression{}
	}
	parsed, problems := expression.Parse(strings.TrimRight(s.text, "\n"))
	r.unread = r.unread || len(problems) > 0
	for _, problem := range problems[:min(len(problems), mostOfOne)] {
		r.refuse(r.origins[path].at(problem.Offset), path, problem.Message, problem.Remedy)
	}
	return parsed
}

// whole tells whether a bare text is all that the line says.
func (r *reader) whole(e entry, path string) bool {
	origin := r.origins[path]
	if origin.spots == nil {
		r.refuse(e.at(), path, "YAML reads this otherwise than it is written", blockRemedy)
		return false
	}
	end := origin.at(len(origin.text))
	if strings.HasPrefix(strings.TrimSpace(r.text.rest(end)), "#") {
		r.refuse(end, path, "YAML takes the rest of the line for a comment",
			"move a comment to a line of its own; if # belongs to the SQL, "+blockRemedy)
		return false
	}
	return true
}
