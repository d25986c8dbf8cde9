// Command schedules writes the map of recurring backfills into the template: schedules MAP TEMPLATE.
//
// It owns what stands between the two marks in the template, and nothing else of it. Invariant: the same map gives the same text, so
// that a test can tell a template that was not written anew.
package main

import (
	"fmt"
	"os"
	"strings"
)

// The marks between which the schedules stand.
const (
	first = "  # --- Schedules: made of infra/schedules/schedules.yaml by `make schedules`. ---\n"
	last  = "  # --- The end of the schedules. ---\n"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: schedules MAP TEMPLATE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file, template string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the schedules: %w", err)
	}
	all, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	before, err := os.ReadFile(template)
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	after, err := scheduled(string(before), all)
	if err != nil {
		return fmt.Errorf("%s: %w", template, err)
	}
	if err := os.WriteFile(template, []byte(after), 0o644); err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	return nil
}

// scheduled is the template with these schedules in place of those that it had.
func scheduled(template string, all []schedule) (string, error) {
	head, rest, found := strings.Cut(template, first)
	_, tail, ended := strings.Cut(rest, last)
	if !found || !ended {
		return "", fmt.Errorf("the lines %q and %q are missing", strings.TrimSpace(first), strings.TrimSpace(last))
	}
	var text strings.Builder
	text.WriteString(head + first)
	for _, s := range all {
		text.WriteString(s.resource())
	}
	text.WriteString(last + tail)
	return text.String(), nil
}
