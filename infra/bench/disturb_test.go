package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWhatDisturbLacksIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"programs":  {nil, "--programs is not given: run this by `make disturb`"},
		"rows":      {[]string{"--programs", "/usr/bin", "--rows", "10"}, "rows are a number from 100000 on"},
		"workers":   {[]string{"--programs", "/usr/bin", "--workers", "0"}, "workers from 1"},
		"no folder": {[]string{"--programs", "/usr/bin", "--place", "/nowhere"}, "make a folder for the servers"},
		"no record": {[]string{"--programs", "/usr/bin", "--place", "/nowhere", "--out", "/dev/null/figures"}, "keep the record"},
	} {
		t.Run(name, func(t *testing.T) {
			command := command(func(string) (string, bool) { return "", false })
			command.SetArgs(append([]string{"disturb", "--out", t.TempDir()}, c.args...))
			command.SetOut(io.Discard)
			err := command.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, errUsage) == strings.HasPrefix(name, "no ") {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}
