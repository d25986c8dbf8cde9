package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/failure"
	"backfill/internal/figure"
)

// Problem is one thing that is wrong, and what to do about it. Line and Column count from 1, in characters; they
// are 0 when the fault is not in the file but in the request.
type Problem struct {
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// String is "LINE:COLUMN: PATH: MESSAGE; REMEDY", without the parts that are not known.
func (p Problem) String() string {
	var text strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&text, "%d:%d: ", p.Line, p.Column)
	}
	if p.Path != "" {
		text.WriteString(p.Path + ": ")
	}
	text.WriteString(p.Message)
	if p.Remedy != "" {
		text.WriteString("; " + p.Remedy)
	}
	return text.String()
}

// Problems is all that is wrong, in the order of the file. Return it as an error through Err only.
type Problems []Problem

// mostShown keeps an answer readable, and within the 32 KiB that Step Functions keeps of a cause.
const mostShown = 50

// Error names the problems, one a line.
func (p Problems) Error() string {
	if len(p) == 1 {
		return p[0].String()
	}
	lines := []string{figure.Plural(int64(len(p)), "problem", "problems") + ":"}
	for _, problem := range p[:min(len(p), mostShown)] {
		lines = append(lines, problem.String())
	}
	if more := len(p) - mostShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %s more; mend these first", figure.Count(int64(more))))
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there is no problem, and else an error of class failure.Invalid that errors.As finds Problems in.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return failure.As(failure.Invalid, p)
}

// within tells whether there is one at a path, or below it.
func (p Problems) within(path string) bool {
	return slices.ContainsFunc(p, func(problem Problem) bool {
		below, ok := strings.CutPrefix(problem.Path, path)
		return ok && (below == "" || below[0] == '.' || below[0] == '[')
	})
}

// Sorted is in the order of the file.
func (p Problems) Sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}
