package main

import (
	"fmt"
	"strings"
)

// packaged is the template with each function's zip in place of its build, and with the architecture that was built as the default.
// It changes lines and not the parsed document: comments, and so the reasons of what a check passes over, stay.
func packaged(template, architecture string) (string, error) {
	lines := strings.Split(template, "\n")
	kept := make([]string, 0, len(lines))
	var function, section string
	found := 0
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") && strings.HasSuffix(line, ":"):
			section = strings.TrimSuffix(strings.TrimSpace(line), ":")
			function = ""
			if name, is := strings.CutSuffix(section, "Function"); is && name != "" {
				function = strings.ToLower(name)
			}
		case line == "    CodeUri: .", function != "" && line == "    Metadata: { BuildMethod: makefile }":
			continue
		case function != "" && line == "    Properties:":
			line += "\n      CodeUri: " + function + ".zip"
			found++
		case section == "Architecture" && strings.HasPrefix(line, "    Default: "):
			line = "    Default: " + architecture
		}
		kept = append(kept, line)
	}
	if found != len(functions) {
		return "", fmt.Errorf("template.yaml has %d functions, want %d", found, len(functions))
	}
	return strings.Join(kept, "\n"), nil
}
