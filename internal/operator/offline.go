package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
)

// unlooked is what the text of a definition cannot tell.
const unlooked = "the table, the SQL beyond its words and parameters, rights and plans"

// reading is what a definition says by itself, without a stack.
type reading struct {
	Backfill string        `json:"backfill"`
	Offline  bool          `json:"offline"`
	Kind     change.Kind   `json:"kind"`
	Table    string        `json:"table"`
	Change   change.Change `json:"-"`
	// Missing are the parameters that a run needs and that were not given, with their types.
	Missing   []string `json:"missing_params"`
	Unchecked string   `json:"unchecked"`
}

// validateOffline checks the file by itself: nothing is asked of anybody.
func (s *session) validateOffline(subject subject) error {
	if subject.file == "" {
		return &Fault{Exit: exitInvalid, Message: fmt.Sprintf("--offline takes a FILE, and %s is the name of a definition of the stack", subject.name),
			Next: s.suggest("validate", subject.name) + " asks the stack"}
	}
	read, err := readOffline(subject)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(read)
	if err != nil {
		return fmt.Errorf("write what %s says: %w", subject.file, err)
	}
	return s.print(answer, func(w io.Writer) { s.wellFormed(w, read, subject) })
}

// readOffline reads the file as the stack would, and gives all problems that it has by itself. A parameter that is not given is none:
// who reviews a definition does not run it.
func readOffline(subject subject) (reading, error) {
	d, problems := definition.Parse([]byte(subject.text))
	read := reading{Backfill: d.Name, Offline: true, Missing: []string{}, Unchecked: unlooked}
	if d.Source != "" {
		_, refused := d.Arguments(subject.params)
		problems = append(problems, slices.DeleteFunc(refused, func(p definition.Problem) bool { return absent(d, p, subject.params) })...)
	}
	if err := problems.Sorted().Err(); err != nil {
		fault := classed(string(failure.Invalid), err.Error())
		subject.locate(fault)
		return read, fault
	}
	for _, param := range d.Params {
		if _, given := subject.params[param.Name]; !given && !param.Optional {
			read.Missing = append(read.Missing, param.Name+" ("+param.Type+")")
		}
	}
	read.Kind, read.Table = d.Kind, d.Table.String()
	read.Change = change.Change{Kind: d.Kind, Table: d.Table, Where: d.Where.String()}
	for _, set := range d.Set {
		read.Change.Set = append(read.Change.Set, change.Assignment{Column: set.Column, Expression: set.Expression.String()})
	}
	return read, nil
}

// absent tells whether a problem is that a parameter was not given.
func absent(d definition.Definition, problem definition.Problem, given map[string]any) bool {
	name := strings.TrimPrefix(problem.Path, "params.")
	_, there := given[name]
	return !there && slices.ContainsFunc(d.Params, func(p definition.Param) bool { return p.Name == name })
}

func (s *session) wellFormed(w io.Writer, read reading, subject subject) {
	fmt.Fprintf(w, "%s is well-formed; the table %s was not looked at\n", read.Backfill, printable(read.Table))
	does(w, read.Change)
	if len(read.Missing) > 0 {
		fmt.Fprintf(w, "note: a run needs a value of %s\n", strings.Join(read.Missing, ", "))
	}
	fmt.Fprintf(w, "note: not checked: %s\n", read.Unchecked)
	offer(w, step{s.suggest("validate", subject.file), "check it against the table"})
}

// unasked is a definition that the stack was to check and could not. What is wrong with its text is wrong all the same.
func (s *session) unasked(ctx context.Context, err error, subject subject) error {
	fault := asFault(ctx, err)
	if fault.Exit != exitUnreachable || subject.file == "" {
		return err
	}
	if _, refused := readOffline(subject); refused != nil {
		var wrong *Fault
		errors.As(refused, &wrong)
		wrong.Next = "the table was not looked at: " + fault.Message
		return wrong
	}
	fault.Problems = append(fault.Problems, fmt.Sprintf("%s itself is well-formed; not checked: %s", subject.shown(), unlooked))
	fault.Next = strings.TrimPrefix(fault.Next+"; validate --offline checks the file alone", "; ")
	return fault
}
