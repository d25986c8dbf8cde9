package operator

import (
	"fmt"
	"io"
)

// labelled is a line of the screen.
func labelled(label, text string) string { return fmt.Sprintf("%-9s %s", label, printable(text)) }

// section prints lines of which the first has the label.
func section(w io.Writer, label string, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, labelled(label, line))
		label = ""
	}
}

// cut makes each line as long as a terminal has room for.
func cut(lines []string, width int) []string {
	for i, line := range lines {
		lines[i] = fit(printable(line), width)
	}
	return lines
}

// sheet gathers lines; those without a text are left out.
type sheet []string

func (l *sheet) put(label, text string) {
	if text != "" {
		*l = append(*l, labelled(label, text))
	}
}
