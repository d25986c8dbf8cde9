// Package template holds template.yaml, the state machines, samconfig.toml and events/ against the code.
//
// It has no code but tests: what AWS would find out at deployment, or in the middle of a run, is found out here.
// IAM too, which the local stack does not enforce.
package template_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// root is the project's folder.
const root = "../.."

// node is a part of a JSON or YAML document.
type node struct {
	t     testing.TB
	path  string
	value any
}

// at goes down by keys; a key that is missing fails the test.
func (n node) at(keys ...string) node {
	n.t.Helper()
	for _, key := range keys {
		child, ok := n.get(key)
		if !ok {
			n.t.Fatalf("%s has no %q", n.path, key)
		}
		n = child
	}
	return n
}

func (n node) get(key string) (node, bool) {
	mapping, _ := n.value.(map[string]any)
	value, ok := mapping[key]
	return node{n.t, n.path + "." + key, value}, ok
}

// each gives the children of a mapping or a list.
func (n node) each() map[string]node {
	children := map[string]node{}
	switch value := n.value.(type) {
	case map[string]any:
		for key := range value {
			children[key] = n.at(key)
		}
	case []any:
		for i, item := range value {
			key := strconv.Itoa(i)
			children[key] = node{n.t, n.path + "[" + key + "]", item}
		}
	}
	return children
}

// texts gives a list's texts; one text is a list of one.
func (n node) texts() []string {
	if one, ok := n.value.(string); ok {
		return []string{one}
	}
	var all []string
	for _, item := range n.value.([]any) {
		all = append(all, item.(string))
	}
	return all
}

func (n node) text() string {
	n.t.Helper()
	text, ok := n.value.(string)
	if !ok {
		n.t.Fatalf("%s is %v, not a text", n.path, n.value)
	}
	return text
}

func (n node) number() int {
	n.t.Helper()
	switch value := n.value.(type) {
	case float64:
		return int(value)
	case uint64:
		return int(value)
	case string: // CloudFormation takes numbers as texts, too
		if number, err := strconv.Atoi(value); err == nil {
			return number
		}
	}
	n.t.Fatalf("%s is %v, not a number", n.path, n.value)
	return 0
}

// ref is the parameter or resource that a !Ref names.
func (n node) ref() string {
	n.t.Helper()
	return n.at("Ref").text()
}

// everywhere visits all mappings of a document.
func (n node) everywhere(visit func(node)) {
	if _, ok := n.value.(map[string]any); ok {
		visit(n)
	}
	for _, child := range n.each() {
		child.everywhere(visit)
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func jsonFile(t testing.TB, name string) node {
	t.Helper()
	n := node{t: t, path: filepath.Base(name)}
	if err := json.Unmarshal(file(t, name), &n.value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

var parsed = sync.OnceValues(func() (ast.Node, error) {
	document, err := parser.ParseFile(filepath.Join(root, "template.yaml"), 0)
	if err != nil {
		return nil, err
	}
	return document.Docs[0].Body, nil
})

// template is template.yaml with its short forms (!Ref X) as the long ones ({"Ref": "X"}).
func template(t testing.TB) node {
	t.Helper()
	body, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return node{t, "template", plain(t, body)}
}

func plain(t testing.TB, n ast.Node) any {
	t.Helper()
	switch n := n.(type) {
	case *ast.TagNode:
		name := n.Start.Value[1:]
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		return map[string]any{name: plain(t, n.Value)}
	case ast.MapNode:
		mapping := map[string]any{}
		for entries := n.MapRange(); entries.Next(); {
			mapping[key(entries.Key())] = plain(t, entries.Value())
		}
		return mapping
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, value := range n.Values {
			list[i] = plain(t, value)
		}
		return list
	case *ast.LiteralNode:
		return n.Value.Value
	case ast.ScalarNode:
		return n.GetValue()
	}
	t.Fatalf("template.yaml has a %T", n)
	return nil
}

func key(n ast.MapKeyNode) string {
	if text, ok := n.(*ast.StringNode); ok {
		return text.Value
	}
	return n.String()
}
