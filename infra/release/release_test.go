package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheSameProgramsGiveTheSameBytes whatever their times, owners' umask and the order in which they were made.
func TestTheSameProgramsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	first := zipOf(t, []string{"b", "a/c"}, 0o755, time.Unix(1_700_000_000, 0))
	second := zipOf(t, []string{"a/c", "b"}, 0o700, time.Unix(1_800_000_000, 0))
	if !bytes.Equal(first, second) {
		t.Error("the zips differ")
	}
	if bytes.Equal(first, zipOf(t, []string{"a/c", "b"}, 0o600, time.Unix(1_700_000_000, 0))) {
		t.Error("whether files are programs is lost")
	}
	read, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	must(t, err)
	if len(read.File) != 2 || read.File[0].Name != "a/c" || read.File[0].Mode() != 0o755 {
		t.Errorf("%+v", read.File)
	}
}

func zipOf(t *testing.T, names []string, mode os.FileMode, modified time.Time) []byte {
	t.Helper()
	folder, to := t.TempDir(), filepath.Join(t.TempDir(), "x.zip")
	for _, name := range names {
		file := filepath.Join(folder, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(strings.Repeat(name, 1000)), mode))
		must(t, os.Chtimes(file, modified, modified))
	}
	must(t, zipFolder(folder, to))
	text, err := os.ReadFile(to)
	must(t, err)
	return text
}

// TestThePackagedTemplate differs from the source in what is built, and in nothing else.
func TestThePackagedTemplate(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../template.yaml")
	must(t, err)
	got, err := packaged(string(source), "x86_64")
	must(t, err)
	for part, count := range map[string]int{
		"BuildMethod": 0, "CodeUri: .\n": 0, "CodeUri: planner.zip\n": 1, "CodeUri: worker.zip\n": 1, "CodeUri: governor.zip\n": 1,
		"CodeUri: control.zip\n": 1, "Default: x86_64\n": 1, "Default: arm64\n": 0,
	} {
		if found := strings.Count(got, part); found != count {
			t.Errorf("%q is there %d times, want %d", part, found, count)
		}
	}
	before, after := strings.Count(string(source), "\n"), strings.Count(got, "\n")
	if after != before-1 {
		t.Errorf("%d lines became %d: one of CodeUri goes, and four come for four of BuildMethod", before, after)
	}
	if _, err := packaged("Resources: {}", "arm64"); err == nil {
		t.Error("a template without functions is packaged")
	}
}

// TestAModuleWithoutALicenceIsNotPassedOn: and a folder or a source file of that name is none.
func TestAModuleWithoutALicenceIsNotPassedOn(t *testing.T) {
	t.Parallel()
	module, to := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(module, "licenses"), 0o755))
	must(t, os.WriteFile(filepath.Join(module, "license_check.go"), nil, 0o644))
	if err := legalFiles(module, to); err == nil {
		t.Error("no error")
	}
	for _, name := range []string{"LICENSE", "LICENCE.md", "COPYING", "NOTICE.txt", "License-MIT"} {
		must(t, os.WriteFile(filepath.Join(module, name), []byte(name), 0o644))
	}
	must(t, legalFiles(module, to))
	if files, err := os.ReadDir(to); err != nil || len(files) != 5 {
		t.Errorf("%v %v", files, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
