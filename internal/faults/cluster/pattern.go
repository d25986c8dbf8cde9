package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// initdb's words, and the database that tests use.
var (
	initdb = []string{"-U", role, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"}
	create = "CREATE DATABASE " + role + "\n"
)

// fill gives the server its first data: a copy of a pattern that is made once for all tests, since initdb takes a second of a
// processor. The pattern stays beside the data of the server that is there, and goes with it.
func (c *Cluster) fill(t testing.TB) {
	t.Helper()
	pattern := filepath.Join(c.beside, "pattern")
	if !there(pattern) {
		c.makePattern(t, pattern)
	}
	if output, err := c.owned(exec.Command("cp", "-a", pattern, c.data)).CombinedOutput(); err != nil {
		t.Fatalf("copy the data of a new server: %v\n%s", err, output)
	}
}

// makePattern makes it in our home, and puts it in its place whole. Another process may be quicker: either is good.
func (c *Cluster) makePattern(t testing.TB, pattern string) {
	t.Helper()
	draft := filepath.Join(c.home, "draft")
	c.run(t, "initdb", append([]string{"-D", draft}, initdb...)...)
	single := c.command("postgres", "--single", "-D", draft, "postgres")
	single.Stdin = strings.NewReader(create)
	if output, err := single.CombinedOutput(); err != nil {
		t.Fatalf("create the database: %v\n%s", err, output)
	}
	if err := os.Rename(draft, pattern); err != nil && !there(pattern) {
		t.Fatal(err)
	}
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
