// Command man writes the manual pages of the operators' command, of its own help: man FOLDER VERSION.
package main

import (
	"fmt"
	"os"
	"strings"

	"backfill/internal/operator"

	"github.com/spf13/cobra/doc"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: man FOLDER VERSION")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write makes a page for each command. The date is SOURCE_DATE_EPOCH, so that the same commit gives the same pages.
func write(folder, version string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the folder of the manual: %w", err)
	}
	root := operator.Root()
	root.DisableAutoGenTag = true
	root.Long = listed(root.Long)
	header := &doc.GenManHeader{Section: "1", Source: "backfill " + version, Manual: "backfill"}
	if err := doc.GenManTree(root, header, folder); err != nil {
		return fmt.Errorf("write the manual: %w", err)
	}
	return nil
}

// listed makes a block of lines that are indented: a page would fill them.
func listed(text string) string {
	var lines []string
	within := false
	for _, line := range strings.Split(text, "\n") {
		indented := strings.HasPrefix(line, "  ")
		if indented && !within {
			lines = append(lines, "")
		}
		if within = indented; indented {
			line = "  " + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
