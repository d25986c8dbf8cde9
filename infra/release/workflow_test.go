package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestWorkflowsDoWhatTheMakefileDoes and nothing else: each step is one of GitHub's own actions, or one target with no shell around it.
func TestWorkflowsDoWhatTheMakefileDoes(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	must(t, err)
	files, err := filepath.Glob("../../.github/workflows/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v %v", files, err)
	}
	command := regexp.MustCompile(`^make ([a-z-]+)( [A-Z]+="?[$A-Za-z0-9_]+"?)*$`)
	for _, file := range files {
		for _, step := range steps(t, file) {
			switch said := command.FindStringSubmatch(step.Run); {
			case step.Uses != "" && !strings.HasPrefix(step.Uses, "actions/"):
				t.Errorf("%s uses %s", file, step.Uses)
			case step.Uses == "" && said == nil:
				t.Errorf("%s runs %q", file, step.Run)
			case said != nil && !strings.Contains(string(makefile), "\n"+said[1]+":"):
				t.Errorf("%s: the Makefile has no target %s", file, said[1])
			}
		}
	}
}

type step struct{ Uses, Run string }

// steps of all jobs; a workflow says what its token may do.
func steps(t *testing.T, file string) (all []step) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var workflow struct {
		Permissions map[string]string
		Jobs        map[string]struct{ Steps []step }
	}
	must(t, yaml.Unmarshal(text, &workflow))
	if len(workflow.Permissions) == 0 || len(workflow.Jobs) == 0 {
		t.Errorf("%s: %+v", file, workflow)
	}
	for _, job := range workflow.Jobs {
		all = append(all, job.Steps...)
	}
	if len(all) < 6 {
		t.Errorf("%s has %d steps", file, len(all))
	}
	return all
}
