package operator

import (
	"fmt"
	"io"
)

// step is a command that can be typed next, and what for.
type step struct{ command, purpose string }

// aligned writes each step as a line, purposes below each other.
func aligned(steps []step) []string {
	wide, lines := 0, make([]string, len(steps))
	for _, step := range steps {
		wide = max(wide, len(step.command))
	}
	for i, step := range steps {
		lines[i] = fmt.Sprintf("%-*s    %s", wide, step.command, step.purpose)
	}
	return lines
}

// offer prints steps below what they follow from.
func offer(w io.Writer, steps ...step) {
	for _, line := range aligned(steps) {
		fmt.Fprintln(w, "  "+line)
	}
}
