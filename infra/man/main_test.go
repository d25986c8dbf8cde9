package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/operator"
)

// TestEachCommandHasAPage, with its examples, and the same one twice.
func TestEachCommandHasAPage(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1764000000")
	one, other := t.TempDir(), filepath.Join(t.TempDir(), "new")
	for _, folder := range []string{one, other} {
		if err := write(folder, "v1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range operator.Root().Commands() {
		name := "backfill-" + command.Name() + ".1"
		page, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Error(err)
		}
		again, err := os.ReadFile(filepath.Join(other, name))
		if err != nil || string(again) != string(page) {
			t.Errorf("%s is another one the second time: %v", name, err)
		}
		if !strings.Contains(string(page), ".SH EXAMPLE") || !strings.Contains(string(page), "backfill v1") {
			t.Errorf("%s has no example, or no version:\n%s", name, page)
		}
	}
	root, err := os.ReadFile(filepath.Join(one, "backfill.1"))
	if err != nil || !strings.Contains(string(root), ".EX\n  0  done as asked\n") || !strings.Contains(string(root), "\n130  stopped by Ctrl-C; the run goes on\n.EE") {
		t.Errorf("%v\n%s", err, root)
	}
}
