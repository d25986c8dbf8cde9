package skeleton_test

import (
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
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
		if wide := strings.ContainsAny(files[0].Text, "\t"); wide || len(files) != map[string]int{"set": 1, "delete": 1, "transform": 3}[kind] {
			t.Errorf("%s has %d files", kind, len(files))
		}
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
		"files": change.Transform, "another": change.Set, "a-third": change.Delete} {
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
