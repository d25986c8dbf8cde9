package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// legal are the names under which modules keep what has to go with their code.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|notice|copying|patents)([.-].*)?$`)

// licences copies the texts of every module that is in one of the programs, and of Go itself, to a folder by the module's path.
func licences(programs []string, folder string) error {
	modules := map[string]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return fmt.Errorf("read what %s is made of: %w", program, err)
		}
		for _, module := range info.Deps {
			modules[module.Path] = true
		}
	}
	for path := range modules {
		text, err := exec.Command("go", "list", "-m", "-json", path).Output()
		if err != nil {
			return fmt.Errorf("find module %s: %w", path, err)
		}
		var module struct{ Dir string }
		if err := json.Unmarshal(text, &module); err != nil {
			return fmt.Errorf("find module %s: %w", path, err)
		}
		if err := legalFiles(module.Dir, filepath.Join(folder, path)); err != nil {
			return err
		}
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go: %w", err)
	}
	return legalFiles(strings.TrimSpace(string(root)), filepath.Join(folder, "go"))
}

// legalFiles copies those of one module, which has to have one at least.
func legalFiles(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("look for licences: %w", err)
	}
	found := false
	for _, file := range files {
		if file.Type().IsRegular() && legal.MatchString(file.Name()) {
			found = true
			if err := copyFile(filepath.Join(from, file.Name()), filepath.Join(to, file.Name())); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("no licence in %s: what may not be passed on cannot be released", filepath.Base(from))
	}
	return nil
}
