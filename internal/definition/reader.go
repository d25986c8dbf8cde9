package definition

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader collects what it reads and all that is wrong with it.
type reader struct {
	text     text
	origins  map[string]origin
	problems Problems
	unread   bool // an expression was refused: what it uses is not known
}

// refuse notes a problem. The YAML reader places a value that is not there behind the end of its line.
func (r *reader) refuse(at position, path, message, remedy string) {
	at = r.text.within(at)
	r.problems = append(r.problems,
		Problem{Line: at.Line, Column: at.Column, Path: path, Message: message, Remedy: remedy})
}

// document gives the file's one mapping.
func (r *reader) document(source string) (*ast.MappingNode, bool) {
	file, err := parser.ParseBytes([]byte(source), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	var bodies []ast.Node
	for _, document := range file.Docs {
		if document.Body != nil && document.Body.Type() != ast.DirectiveType {
			bodies = append(bodies, document.Body)
		}
	}
	if len(bodies) == 0 {
		r.refuse(position{1, 1}, "", "the file is empty", "give it at least name, table, and set or delete")
		return nil, false
	}
	if len(bodies) > 1 {
		r.refuse(start(bodies[1]), "", "a second document begins here", "write one file for each backfill")
		return nil, false
	}
	root, ok := bodies[0].(*ast.MappingNode)
	if !ok {
		r.refuse(start(bodies[0]), "", "the file is not a mapping", "write lines like name: users-email")
	}
	return root, ok
}

// block is the remedy for text that means something else in YAML.
const blockRemedy = `write such a text as a block: "|" after the colon, and the text on the next line, indented`

// syntax reports what the YAML reader says. It stops at its first error, so there is only one.
func (r *reader) syntax(err error) {
	at, message := position{1, 1}, err.Error()
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		message = syntax.GetMessage()
		if tk := syntax.GetToken(); tk != nil && tk.Position != nil {
			at = place(tk)
		}
	}
	remedy := `check quotes and indentation; a text that begins with a quote or @, or holds ": ", is not plain YAML: ` +
		blockRemedy
	if strings.Contains(message, `'\t'`) || strings.Contains(message, "'\t'") {
		message, remedy = "there is a tab in the indentation", "indent with spaces"
	}
	r.refuse(at, "", "this is not YAML: "+strings.TrimSpace(message), remedy)
}

// entry is one line of a mapping.
type entry struct {
	name  string
	key   position
	value ast.Node
}

// entries lists a mapping's entries; a name that was there already is refused and left out.
func (r *reader) entries(mapping *ast.MappingNode, path string) []entry {
	var list []entry
	seen := map[string]position{}
	for _, value := range mapping.Values {
		name, ok := keyText(value.Key)
		at := start(value.Key)
		if !ok {
			r.refuse(at, path, "this is not a plain name", "write name: value; anchors, tags and << are not used here")
			continue
		}
		if first, twice := seen[name]; twice {
			r.refuse(at, join(path, name), fmt.Sprintf("it is given twice, first in line %d", first.Line), "remove one")
			continue
		}
		seen[name] = at
		list = append(list, entry{name: name, key: at, value: value.Value})
	}
	return list
}

func keyText(key ast.MapKeyNode) (string, bool) {
	switch node := key.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return node.GetToken().Value, true
	}
	return "", false
}

// start gives the place of a node's first character: a block mapping's own token is its first colon.
func start(node ast.Node) position {
	switch node := node.(type) {
	case *ast.MappingNode:
		if !node.IsFlowStyle && len(node.Values) > 0 {
			return start(node.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return start(node.Key)
	}
	return place(node.GetToken())
}

func place(tk *token.Token) position { return position{tk.Position.Line, tk.Position.Column} }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
