package template_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "backfill/"
	services = "github.com/aws/aws-sdk-go-v2/service/"
)

// name is a declaration of a package, as in New; a method has its type before it, as in Store.Run.
type name struct{ folder, name string }

// mention is a name that a declaration has in it. A selector is one of a method; read where it is not called, so may be a field.
type mention struct {
	name
	selector, read bool
}

// names of methods or fields.
type names map[string]bool

// source is the program of one main: what its declarations mention, and which inputs of AWS they make. It is read without types. What an
// interface of a package has is called through that, so may be each type's that has all of its methods. Any other selector may be of each
// type that the package can know. That errs towards too much, which the test then shows as a call without a right.
type source struct {
	t          *testing.T
	imports    map[string]names            // of each folder, those that it imports; of "", all
	interfaces map[string][]names          // of each folder
	methods    map[string]map[string]names // of each folder, by type
	fields     map[string]names            // of each folder
	mentions   map[name][]mention
	calls      map[name][]string // as in dynamodb.PutItem
	begins     []name
}

// callsOf are the calls to AWS that the main in a folder can come to, sorted.
func callsOf(t *testing.T, folder string) []string {
	t.Helper()
	s := source{t: t, imports: map[string]names{"": {}}, interfaces: map[string][]names{}, methods: map[string]map[string]names{},
		fields: map[string]names{}, mentions: map[name][]mention{}, calls: map[name][]string{}}
	s.add(folder)
	found, seen := map[string]bool{}, map[name]bool{}
	for open := slices.Concat(s.begins, []name{{folder, "main"}}); len(open) > 0; {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if seen[next] {
			continue
		}
		seen[next] = true
		for _, call := range s.calls[next] {
			found[call] = true
		}
		for _, mentioned := range s.mentions[next] {
			open = append(open, s.resolve(mentioned)...)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// resolve gives what a mention may stand for.
func (s *source) resolve(m mention) []name {
	if !m.selector {
		return []name{m.name}
	}
	if !ast.IsExported(m.name.name) {
		return s.having(m.name.name, names{m.folder: true}, nil)
	}
	known := s.known(m.folder)
	if m.read && s.isField(m.name.name, known) {
		return nil
	}
	through := s.interfacesWith(m.name.name, names{m.folder: true})
	if len(through) > 0 {
		known = names{m.folder: true}
	} else {
		through = s.interfacesWith(m.name.name, known)
	}
	found := s.having(m.name.name, known, nil)
	for _, one := range through {
		found = append(found, s.having(m.name.name, s.imports[""], one)...)
	}
	return found
}

// having are the methods of a name, of types in some folders that have all of an interface.
func (s *source) having(method string, folders names, all names) []name {
	var found []name
	for folder := range folders {
		for of, methods := range s.methods[folder] {
			lacks := func(wanted string) bool { return !methods[wanted] }
			if methods[method] && !slices.ContainsFunc(slices.Collect(maps.Keys(all)), lacks) {
				found = append(found, name{folder, of + "." + method})
			}
		}
	}
	return found
}

func (s *source) interfacesWith(method string, folders names) []names {
	var found []names
	for folder := range folders {
		for _, one := range s.interfaces[folder] {
			if one[method] {
				found = append(found, one)
			}
		}
	}
	return found
}

func (s *source) isField(name string, folders names) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(folders)), func(folder string) bool { return s.fields[folder][name] })
}

// known are a package and those that it imports, directly or not.
func (s *source) known(folder string) names {
	all := names{}
	for open := []string{folder}; len(open) > 0; {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if !all[next] {
			all[next] = true
			open = slices.AppendSeq(open, maps.Keys(s.imports[next]))
		}
	}
	return all
}

// add reads a package of the module, and those that it imports.
func (s *source) add(folder string) {
	s.t.Helper()
	if s.imports[folder] != nil {
		return
	}
	s.imports[folder], s.fields[folder], s.methods[folder] = names{}, names{}, map[string]names{}
	s.imports[""][folder] = true
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	must(s.t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		must(s.t, err)
		s.file(folder, file)
	}
}

func (s *source) file(folder string, file *ast.File) {
	s.t.Helper()
	imports := map[string]string{}
	for _, imported := range file.Imports {
		path, err := strconv.Unquote(imported.Path.Value)
		must(s.t, err)
		called := path[strings.LastIndex(path, "/")+1:]
		if imported.Name != nil {
			called = imported.Name.Name
		}
		imports[called] = path
		if own, ok := strings.CutPrefix(path, module); ok {
			s.imports[folder][own] = true
			s.add(own)
		}
	}
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			at := s.declared(folder, function)
			if function.Body != nil {
				s.body(at, imports, function.Body)
			}
			continue
		}
		for _, spec := range declaration.(*ast.GenDecl).Specs {
			s.spec(folder, imports, spec)
		}
	}
}

// declared names a function, and notes whose method it is.
func (s *source) declared(folder string, function *ast.FuncDecl) name {
	at := name{folder, function.Name.Name}
	if function.Recv == nil {
		if at.name == "init" {
			s.begins = append(s.begins, at)
		}
		return at
	}
	of := receiver(function.Recv.List[0].Type)
	if s.methods[folder][of] == nil {
		s.methods[folder][of] = names{}
	}
	s.methods[folder][of][at.name] = true
	return name{folder, of + "." + at.name}
}

func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return receiver(of.X)
	case *ast.IndexExpr:
		return receiver(of.X)
	case *ast.IndexListExpr:
		return receiver(of.X)
	}
	return of.(*ast.Ident).Name
}

// spec notes what a variable begins with, and the methods and fields of a type.
func (s *source) spec(folder string, imports map[string]string, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, variable := range spec.Names {
			s.body(name{folder, variable.Name}, imports, spec)
		}
	case *ast.TypeSpec:
		ast.Inspect(spec, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.InterfaceType:
				methods := names{}
				note(methods, n.Methods)
				s.interfaces[folder] = append(s.interfaces[folder], methods)
			case *ast.StructType:
				note(s.fields[folder], n.Fields)
			}
			return true
		})
	}
}

func note(names names, list *ast.FieldList) {
	for _, field := range list.List {
		for _, called := range field.Names {
			names[called.Name] = true
		}
	}
}

// body notes what a declaration mentions: names of its package, of an imported one, and whatever may be a method.
func (s *source) body(at name, imports map[string]string, body ast.Node) {
	called := map[ast.Expr]bool{}
	main := strings.HasPrefix(at.folder, "functions/") // hands on methods without calling them
	mentions := func(m mention) { s.mentions[at] = append(s.mentions[at], m) }
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called[n.Fun] = true
		case *ast.Ident:
			mentions(mention{name: name{at.folder, n.Name}})
		case *ast.AssignStmt: // what it sets is no method
			for _, value := range n.Rhs {
				s.body(at, imports, value)
			}
			return false
		case *ast.SelectorExpr:
			of, ok := n.X.(*ast.Ident)
			if !ok || imports[of.Name] == "" {
				mentions(mention{name: name{at.folder, n.Sel.Name}, selector: true, read: !called[n] && !main})
				s.body(at, imports, n.X)
				return false
			}
			if own, ok := strings.CutPrefix(imports[of.Name], module); ok {
				mentions(mention{name: name{own, n.Sel.Name}})
			}
			if call, ok := call(imports[of.Name], n.Sel.Name); ok {
				s.calls[at] = append(s.calls[at], call)
			}
			return false
		}
		return true
	})
}

// call is the call of which a type of the SDK is the input; a part of a transaction counts as one.
func call(path, name string) (string, bool) {
	service, ok := strings.CutPrefix(path, services)
	if !ok {
		return "", false
	}
	if operation, ok := strings.CutSuffix(name, "Input"); ok {
		return service + "." + operation, true
	}
	part := service == "dynamodb/types" && slices.Contains([]string{"Put", "Update", "Delete", "ConditionCheck"}, name)
	return service + "." + name, part
}
