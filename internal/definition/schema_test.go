package definition_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"backfill/internal/definition"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	root       = "../.."
	schemaFile = root + "/docs/definition.schema.json"
)

// TestTheSchemaIsThatOfTheReader: -update writes it.
func TestTheSchemaIsThatOfTheReader(t *testing.T) {
	golden(t, schemaFile, string(definition.Schema()))
}

// schema compiles the schema, as an editor would.
func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(definition.Schema()))
	must(t, err)
	compiler := jsonschema.NewCompiler()
	must(t, compiler.AddResource("definition.schema.json", document))
	compiled, err := compiler.Compile("definition.schema.json")
	must(t, err)
	return compiled
}

// value is what an editor makes of a file: nothing where it is no YAML. Numbers with _ are texts to editors, and stay numbers here.
func value(source string) (any, bool) {
	var decoded any
	if err := yaml.Unmarshal([]byte(strings.TrimPrefix(source, "\ufeff")), &decoded); err != nil { // a byte order mark is none of it
		return nil, false
	}
	text, err := json.Marshal(decoded)
	if err != nil {
		return nil, false
	}
	again, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	return again, err == nil
}

// TestEachDefinitionOfTheRepositoryIsValid: files, and the examples in docs, completed where they are a part of one.
func TestEachDefinitionOfTheRepositoryIsValid(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	definitions := map[string]string{}
	for file, text := range repository(t) {
		switch filepath.Ext(file) {
		case ".yaml":
			if strings.HasPrefix(text, "name:") || strings.Contains(text, "\nname:") && strings.Contains(text, "\ntable:") {
				definitions[file] = text
			}
		case ".md":
			for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```").FindAllStringSubmatch(text, -1) {
				definitions[file+": "+block[1][:min(len(block[1]), 30)]] = complete(t, block[1])
			}
		}
	}
	if len(definitions) < 30 {
		t.Fatalf("only %d were found", len(definitions))
	}
	for name, source := range definitions {
		if _, problems := definition.Parse([]byte(source)); problems != nil {
			t.Errorf("%s: the reader refuses it: %v", name, problems)
		}
		decoded, ok := value(source)
		if !ok {
			t.Errorf("%s is no YAML", name)
			continue
		}
		if err := compiled.Validate(decoded); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// repository are the texts of its files, by their paths; those that are kept because they are bad, or have to be filled in, are left out.
func repository(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	must(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "skeleton" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".md"):
			return nil
		}
		content, err := os.ReadFile(path)
		texts[path] = string(content)
		return err
	}))
	return texts
}

// beyond are the bad files that no schema can tell: what is wrong is in the SQL, in YAML itself, or between two values.
var beyond = map[string]bool{
	"comma-in-braces": true, "comment-cuts-expression": true, "expression-problems": true, // SQL, and what YAML makes of it
	"control-character": true, "hidden-character": true, "not-utf8": true, "nul-escape": true, "two-documents": true,
	"set-column-twice": true, "table-too-long": true, // names that are the same, or too long, to Postgres
	"undeclared-parameter": true, "verify-param": true, "verify-two": true, "order-follow": true, "transform-parameter": true, "move": true, "move-passing": true, "unused-parameter": true, "windows-lines": true,
}

// TestTheSchemaKnowsWhatIsBad, but for what no schema can know.
func TestTheSchemaKnowsWhatIsBad(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	must(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		decoded, ok := value(string(read(t, file)))
		refused := !ok || compiled.Validate(decoded) != nil
		if refused == beyond[name] {
			t.Errorf("%s: refused by the schema: %t", name, refused)
		}
	}
}

// TestTheSchemaKnowsWhatTheReaderKnows of the bad requests, but for SQL, encodings and YAML's own words.
func TestTheSchemaKnowsWhatTheReaderKnows(t *testing.T) {
	t.Parallel()
	compiled, refused := schema(t), 0
	files, err := filepath.Glob("../review/testdata/bad/*.yaml")
	must(t, err)
	for _, file := range files {
		name := filepath.Base(file)
		_, problems := definition.Parse(read(t, file))
		ofText := regexp.MustCompile("^(encoding|metric|params|set|where|yaml)-").MatchString(name)
		if problems == nil || ofText {
			continue
		}
		refused++
		if decoded, ok := value(string(read(t, file))); ok && compiled.Validate(decoded) == nil {
			t.Errorf("%s is valid to the schema: %v", name, problems)
		}
	}
	if refused < 15 {
		t.Errorf("only %d files were looked at", refused)
	}
}

// TestTheSchemaTakesWhatTheReaderTakes: each way to write a value.
func TestTheSchemaTakesWhatTheReaderTakes(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	for _, lines := range []string{
		"set: {a: 1, b: true, c: null, d: 1.50, e: f(x)}", "set: {a: b}\nundo: on", "set: {a: b}\nundo: false", `set: {a: b}` + "\nundo: 'off'",
		"set: {a: b}\nkey: id", "set: {a: b}\nkey: [a, 'B c']", "set: {a: b}\nchunk_rows: 250_000", "set: {a: b}\nchunk_rows: '250_000'",
		"delete: true\nwhere: 'true'", "delete: 'true'\nwhere: true", "set: {a: b}\nowner: 7", "set: {a: b}\ndepends_on: c", "set: {a: b}\ndatabase: orders", "set: {a: b}\ndepends_on: [c, d-1]",
		"set: {a: '@x'}\nparams: {x: character varying}", "set: {a: '@x'}\nparams: {x: {type: int8, default: 5, min: 1, max: 9}}",
		"set: {a: '@x'}\nparams: {x: {type: date, default: 2024-01-31}}", "set: {a: b}\nwindows: {days: Mon-Fri}",
		"set: {a: b}\nwindows: [{days: [mon, tue-wed], timezone: Europe/Berlin}, {hours: 9:00-17:30}]",
		"set: {a: b}\nthrottle: {lock_waiters: 4, io_waits: off, alarm: 0.5, slot_lag_bytes: 1_000_000}",
		"set: {a: b}\nthrottle: {mine: {query: SELECT 1, limit: off, unit: jobs/s}}", "set: {a: b}\non_failure: continue\nerror_budget: 0",
	} {
		source := "name: a\ntable: \"t\"\n" + lines + "\n"
		if _, problems := definition.Parse([]byte(source)); problems != nil {
			t.Errorf("%s: %v", lines, problems)
		}
		decoded, ok := value(source)
		if !ok {
			t.Fatalf("%s is no YAML", lines)
		}
		if err := compiled.Validate(decoded); err != nil {
			t.Errorf("%s: %v", lines, err)
		}
	}
}

// TestEachKeyIsDescribed, in the docs as well.
func TestEachKeyIsDescribed(t *testing.T) {
	t.Parallel()
	var described struct {
		Properties map[string]struct{ Description string }
	}
	must(t, json.Unmarshal(definition.Schema(), &described))
	docs, err := os.ReadFile(root + "/docs/definitions.md")
	must(t, err)
	for key, p := range described.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", key)
		}
		if !strings.Contains(string(docs), "`"+key+"`") {
			t.Errorf("docs/definitions.md does not know %s", key)
		}
	}
	if diff := cmp.Diff(true, len(described.Properties) > 14); diff != "" {
		t.Error(diff)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
