package change

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page has for each kind what holds for it, and which test shows that.
const page = "../../docs/kinds.md"

// properties are the columns of its table.
var properties = []string{"composite key", "partitioned", "undo", "rollback", "kill -9", "concurrent users", "striping", "dry run", "verify", "poison rows"}

// named is a test as the page names it: package.Test, and a subtest.
var named = regexp.MustCompile("`([a-z0-9]+)\\.(Test\\w+)(?:/[^`]*)?`")

const cannot = "cannot be: "

// TestThePageOfKinds names tests that are there, leaves no cell empty and no kind out, and gives the product's own reasons.
func TestThePageOfKinds(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := table(string(content))
	if len(rows) == 0 || strings.Join(rows["kind"], "|") != strings.Join(properties, "|") {
		t.Fatalf("the columns are %v, want %v", rows["kind"], properties)
	}
	for kind := range kinds {
		cells, there := rows["**"+string(kind)+"**"]
		if !there || len(cells) != len(properties) {
			t.Errorf("kind %s has %d cells, want %d", kind, len(cells), len(properties))
			continue
		}
		for i, property := range properties {
			for _, problem := range judge(cells[i], reason(kind, property)) {
				t.Errorf("%s, %s: %s", kind, property, problem)
			}
		}
	}
	if len(rows) != len(kinds)+2 {
		t.Errorf("the table has %d rows, want one for each of %d kinds", len(rows)-2, len(kinds))
	}
	for _, test := range named.FindAllStringSubmatch(string(content), -1) {
		if !tests(t, test[1])[test[2]] {
			t.Errorf("there is no test %s.%s", test[1], test[2])
		}
	}
}

// TestThePageOfVerificationGivesTheReasons that the product gives, for each kind.
func TestThePageOfVerificationGivesTheReasons(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := table(string(content))
	for kind := range kinds {
		if kind.Unjudged() == "" {
			continue // its rows of the table are of what is written in the file
		}
		if cells := rows["**"+string(kind)+"**"]; len(cells) != 2 || cells[0] != "no" || cells[1] != kind.Unjudged() {
			t.Errorf("%s has %q, want no, and %s", kind, cells, kind.Unjudged())
		}
	}
}

// table gives the rows of the page's table by their first cell.
func table(content string) map[string][]string {
	rows := map[string][]string{}
	for line := range strings.Lines(content) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.HasPrefix(line, "|") {
			rows[cells[0]] = cells[1:]
		}
	}
	return rows
}

// reason is why the kind cannot have the property, "" where it can.
func reason(kind Kind, property string) string {
	switch property {
	case "striping":
		return kind.Plain()
	case "verify":
		return kind.Unjudged()
	}
	return ""
}

// judge says what is wrong with a cell.
func judge(cell, reason string) (problems []string) {
	switch {
	case reason != "" && cell != cannot+reason:
		problems = append(problems, "want "+cannot+reason)
	case reason == "" && strings.Contains(cell, cannot):
		problems = append(problems, "the product gives no reason why it cannot be")
	case reason == "" && !named.MatchString(cell):
		problems = append(problems, "no test is named")
	}
	return problems
}

var known = map[string]map[string]bool{}

// tests are the names of a package's tests.
func tests(t *testing.T, name string) map[string]bool {
	t.Helper()
	if known[name] != nil {
		return known[name]
	}
	files, err := filepath.Glob(filepath.Join("..", name, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("package %s has no tests (%v)", name, err)
	}
	known[name] = map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Recv == nil {
				known[name][f.Name.Name] = true
			}
		}
	}
	return known[name]
}
