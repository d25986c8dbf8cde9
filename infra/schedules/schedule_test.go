package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheTemplateHasTheSchedules of the map, and would not change if they were written anew.
func TestTheTemplateHasTheSchedules(t *testing.T) {
	t.Parallel()
	before := read(t, "../../template.yaml")
	copied := filepath.Join(t.TempDir(), "template.yaml")
	must(t, os.WriteFile(copied, []byte(before), 0o600))
	must(t, run("schedules.yaml", copied))
	if diff := cmp.Diff(before, read(t, copied)); diff != "" {
		t.Errorf("run `make schedules`: %s", diff)
	}
}

// TestWhatSchedulesBecome: the golden file is what `make lint` has cfn-lint look at, in the template.
func TestWhatSchedulesBecome(t *testing.T) {
	t.Parallel()
	all, err := parse([]byte(read(t, "testdata/schedules.yaml")))
	must(t, err)
	got, err := scheduled(first+"  Gone: {}\n"+last, all)
	must(t, err)
	const golden = "testdata/resources.yaml"
	if os.Getenv("UPDATE") != "" {
		must(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	if diff := cmp.Diff(read(t, golden), got); diff != "" {
		t.Error(diff)
	}
	if _, err := scheduled("Resources: {}", all); err == nil {
		t.Error("a template without marks was changed")
	}
}

// TestBadSchedules: all problems at once, by the name of the entry and the key.
func TestBadSchedules(t *testing.T) {
	t.Parallel()
	_, err := parse([]byte("Night_ly:\n  backfill: a b\n  at: every day\n  timezone: Mars/Base\n  window: 2000\ngood: {backfill: a, at: rate(1 day)}\n"))
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 5 {
		t.Errorf("%d problems, want 5: %s", len(lines), err)
	}
	for text, part := range map[string]string{
		"a: {backfil: b}": "backfil", "- a": "", "a: {backfill: b, at: rate(1 day), window: soon}": "window",
		"a: {backfill: b, at: \"rate(1 day)'\"}": "a: at:", "a: {backfill: b, at: cron(0 3 * * ? *), timezone: Local}": "timezone",
	} {
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
