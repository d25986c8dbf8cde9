package operator

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNewTranscripts: what is printed, and what is refused.
func TestNewTranscripts(t *testing.T) {
	folder := filepath.Join("internal", "backfills")
	transcribe(t, map[string]transcript{
		"new-no-folder": {[]string{"new", "users-hash", "--kind", "set"}, nil},
		"new-no-kind":   {[]string{"new", "users-hash"}, nil},
		"new-kind":      {[]string{"new", "users-hash", "--kind", "trasform"}, nil},
		"new-name":      {[]string{"new", "Users_Hash", "--kind", "set"}, nil},
		"help-new":      {[]string{"new", "--help"}, nil},
	})
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words []string
		code  int
		files []string // that are there afterwards
	}{
		{[]string{"new", "users-hash", "--kind", "transform"}, 0, []string{"users-hash.go", "users-hash.yaml", "users-hash_test.go"}},
		{[]string{"new", "users-hash", "--kind", "set"}, 2, []string{"users-hash.go", "users-hash.yaml", "users-hash_test.go"}},
		{[]string{"new", "purge", "--kind", "delete", "-o", "json"}, 0, []string{"purge.yaml", "users-hash.go", "users-hash.yaml", "users-hash_test.go"}},
	} {
		before := contents(t, folder)
		b := setup(t)
		if code := b.run(t, c.words...); code != c.code {
			t.Errorf("%v: exit code %d, want %d; %s", c.words, code, c.code, &b.err)
		}
		after := contents(t, folder)
		for name, text := range before {
			if after[name] != text {
				t.Errorf("%v: %s was overwritten", c.words, name)
			}
		}
		if c.code == 0 && !strings.Contains(b.out.String(), filepath.Join(folder, c.files[0])) && !strings.Contains(b.out.String(), "purge.yaml") {
			t.Errorf("%v: %s", c.words, &b.out)
		}
		if names := namesOf(after); !slices.Equal(names, c.files) {
			t.Errorf("%v: there are %v", c.words, names)
		}
	}
}

func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(text)
	}
	return all
}

func namesOf(all map[string]string) (names []string) {
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
