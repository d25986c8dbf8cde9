// Command release puts a package together of programs that are built already:
//
//	release BUILD ARCHITECTURE PACKAGE.zip
//
// BUILD has the program NAME/bootstrap of each function and the operators' commands cli/*. The package is a folder that
// `sam deploy` takes without Go or a build: NAME.zip, template.yaml, samconfig.toml, the state machines, what the database's role
// needs, and the licences of all that is in the programs, the commands' too. Invariant: the same programs give the same bytes.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// functions of the stack: the template's NameFunction has the program name/bootstrap.
var functions = []string{"planner", "worker", "governor", "control"}

// copied as they are.
var copied = []string{
	"LICENSE", "samconfig.toml", "infra/statemachine/backfill.asl.json", "infra/statemachine/segment.asl.json",
	"docs/grants.sql", "docs/deploy.md",
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: release BUILD ARCHITECTURE PACKAGE.zip")
		os.Exit(2)
	}
	if err := release(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func release(build, architecture, to string) error {
	folder, err := os.MkdirTemp(filepath.Dir(to), "package")
	if err != nil {
		return fmt.Errorf("make a folder for the package: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	for _, name := range functions {
		if err := zipFolder(filepath.Join(build, name), filepath.Join(folder, name+".zip")); err != nil {
			return err
		}
	}
	for _, name := range copied {
		if err := copyFile(name, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	if err := writeTemplate(folder, architecture); err != nil {
		return err
	}
	programs, err := filepath.Glob(filepath.Join(build, "*", "*"))
	if err != nil {
		return fmt.Errorf("find the programs: %w", err)
	}
	if err := licences(programs, filepath.Join(folder, "licences")); err != nil {
		return err
	}
	return zipFolder(folder, to)
}

func writeTemplate(folder, architecture string) error {
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	template, err := packaged(string(source), architecture)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "template.yaml"), []byte(template), 0o644); err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	return nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}
