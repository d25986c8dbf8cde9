package skeleton_test

import (
	"context"
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/skeleton"
)

// TestEachSkeletonIsValid, and says what is to be filled in.
func TestEachSkeletonIsValid(t *testing.T) {
	t.Parallel()
	for _, kind := range skeleton.Kinds() {
		files, err := skeleton.Files("a-b", change.Kind(kind))
		if err != nil {
			t.Fatal(err)
		}
		d, problems := definition.Parse([]byte(files[0].Text))
		if problems != nil || d.Name != "a-b" || d.Kind != change.Kind(kind) || d.Description == "" || !strings.Contains(files[0].Text, "TODO") {
			t.Errorf("%s: %+v, %v", kind, d, problems)
		}
		for _, file := range files[1:] {
			if pretty, err := format.Source([]byte(file.Text)); err != nil || string(pretty) != file.Text {
				t.Errorf("%s: %v", file.Name, err)
			}
		}
		want := 1
		if kind == string(change.Transform) {
			want = 3
		}
		if wide := strings.ContainsAny(files[0].Text, "\t"); wide || len(files) != want {
			t.Errorf("%s has %d files", kind, len(files))
		}
	}
}

// TestEachSkeletonFitsItsTable: as it is made it is a definition of the table that it names, beside the targets whose statements it shows.
func TestEachSkeletonFitsItsTable(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, `CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name text, last_seen_at timestamptz, country_id bigint, country text);
		CREATE TABLE countries (id bigint PRIMARY KEY, name text)`)
	conn, err := postgres.Connect(t.Context(), db.URL, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, kind := range skeleton.Kinds() {
		files, err := skeleton.Files("fits", change.Kind(kind))
		if err != nil {
			t.Fatal(err)
		}
		if _, statement, ok := strings.Cut(files[0].Text, "CREATE TABLE "); ok {
			statement, _, _ = strings.Cut(statement, "\n")
			db.Exec(t, "CREATE TABLE "+statement)
		}
		d, problems := definition.Parse([]byte(files[0].Text))
		if problems != nil {
			t.Fatal(problems.Err())
		}
		_, err = catalog.Resolve(t.Context(), conn, d, nil)
		if missing := kind == string(change.Transform); missing {
			if err == nil || !strings.Contains(err.Error(), `no function "fits"`) || strings.Contains(err.Error(), "\n") { // it is not compiled in here
				t.Errorf("%s: %v", kind, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestEachKindHasASkeleton: docs/kinds.md has a row for each, which a test of change holds.
func TestEachKindHasASkeleton(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/kinds.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^\| \*\*(\w+)\*\* \|`).FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, row[1])
	}
	if kinds := skeleton.Kinds(); len(rows) == 0 || !slices.Equal(slices.Sorted(slices.Values(rows)), slices.Sorted(slices.Values(kinds))) {
		t.Errorf("there are skeletons of %v, and the kinds are %v", kinds, rows)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for want, c := range map[string][2]string{
		`there is no kind "sett"; did you mean set?`: {"a", "sett"},
		`"Users" is not a name`:                      {"Users", "set"},
		`is not a name`:                              {"../a", "transform"},
		`it has no value`:                            {"", "transform"},
	} {
		if _, err := skeleton.Files(c[0], change.Kind(c[1])); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", c, err)
		}
	}
}

// TestWhatIsMadeCompilesAndPasses beside the definitions that are there, under names that mean something to Go: the files are laid over
// the package, and its tests are run.
func TestWhatIsMadeCompilesAndPasses(t *testing.T) {
	t.Parallel()
	target, err := filepath.Abs("../backfills")
	if err != nil {
		t.Fatal(err)
	}
	folder, over := t.TempDir(), map[string]string{}
	for name, kind := range map[string]change.Kind{"a-new-one": change.Transform, "type": change.Transform, "users-windows": change.Transform, "1st-test": change.Transform,
		"files": change.Transform, "another": change.Set, "a-third": change.Delete, "a-fourth": change.Copy} {
		files, err := skeleton.Files(name, kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			made := filepath.Join(folder, file.Name)
			if err := os.WriteFile(made, []byte(file.Text), 0o600); err != nil {
				t.Fatal(err)
			}
			over[filepath.Join(target, file.Name)] = made
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": over})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-vet=all", "-overlay", overlay, "-v", "backfill/internal/backfills")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, test := range []string{"TestANewOne", "TestType", "TestUsersWindows", "Test1stTest", "TestFiles", "TestEachDefinitionIsValidAndNamedAsItsFile"} {
		if !strings.Contains(string(output), "--- PASS: "+test+" ") {
			t.Errorf("%s was not run:\n%s", test, output)
		}
	}
}
