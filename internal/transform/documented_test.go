package transform_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"backfill/internal/transform"
)

// TestEachGetterAndSetterIsDocumented where people look who write a function.
func TestEachGetterAndSetterIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/kinds/transform.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	row := reflect.TypeFor[transform.Row]()
	for i := range row.NumMethod() {
		names = append(names, "row."+row.Method(i).Name+"(")
	}
	file, err := parser.ParseFile(token.NewFileSet(), "change.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range file.Decls {
		f, ok := declared.(*ast.FuncDecl)
		if ok && f.Recv == nil && f.Name.IsExported() && f.Type.Results != nil && types(f.Type.Results) == "Value" {
			names = append(names, "transform."+f.Name.Name+"(")
		}
	}
	if len(names) < 19 {
		t.Fatalf("only %d are known: %v", len(names), names)
	}
	for _, name := range names {
		if !strings.Contains(string(page), name) {
			t.Errorf("docs/kinds/transform.md does not name %s", strings.TrimSuffix(name, "("))
		}
	}
}

func types(list *ast.FieldList) string {
	var names []string
	for _, field := range list.List {
		if name, ok := field.Type.(*ast.Ident); ok {
			names = append(names, name.Name)
		}
	}
	return strings.Join(names, ", ")
}
