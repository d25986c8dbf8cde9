package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"backfill/internal/change"

	"github.com/spf13/cobra"
)

// question is the input of validate.
type question struct {
	Action     string         `json:"action"`
	Backfill   string         `json:"backfill,omitempty"`
	Definition string         `json:"definition,omitempty"`
	Params     map[string]any `json:"params,omitempty"`
}

// finding is the part of the answer that people read.
type finding struct {
	Backfill  string        `json:"backfill"`
	Change    change.Change `json:"change"`
	Estimated int64         `json:"estimated"`
	Notes     []string      `json:"notes"`
}

func validateCommand(s *session) *cobra.Command {
	var from naming
	command := &cobra.Command{
		Use:   "validate NAME | FILE",
		Short: "Check a definition against the database; nothing is changed",
		Example: `  backfill validate users-email-normalized
  backfill validate users.yaml -p since=2022-01-01`,
	}
	from.flags(command)
	command.RunE = runs(func(ctx context.Context, args []string) error {
		subject, err := from.read(s, command, args, true)
		if err != nil {
			return err
		}
		stack, err := s.connect(ctx)
		if err != nil {
			return err
		}
		answer, err := stack.Control.Act(ctx, asked(subject))
		if err != nil {
			var fault *Fault
			if errors.As(err, &fault) {
				subject.locate(fault)
			}
			return err
		}
		var found finding
		if err := json.Unmarshal(answer, &found); err != nil {
			return fmt.Errorf("read the answer about %s: %w", subject.name, err)
		}
		return s.print(answer, func(w io.Writer) { s.fine(w, found, subject) })
	})
	return command
}

func asked(subject subject) question {
	q := question{Action: "validate", Definition: subject.text, Params: subject.params}
	if subject.file == "" {
		q.Backfill = subject.name
	}
	return q
}

func (s *session) fine(w io.Writer, found finding, subject subject) {
	fmt.Fprintf(w, "%s can run on %s%s\n", found.Backfill, printable(found.Change.Table.String()), estimate(found.Estimated))
	for _, set := range found.Change.Set {
		fmt.Fprintf(w, "  %s = %s\n", printable(set.Column), printable(strings.TrimSpace(set.Expression)))
	}
	if found.Change.Kind.Deletes() {
		fmt.Fprintln(w, "  delete the rows")
	}
	if a := found.Change.Archive; a != nil {
		fmt.Fprintf(w, "  archive them in %s\n", printable(a.Table.String()))
	}
	if j := found.Change.Join; j != nil {
		for _, from := range j.From {
			fmt.Fprintf(w, "  from %s %s\n", printable(from.Table.String()), from.Alias)
		}
		fmt.Fprintf(w, "  joined on %s\n", printable(strings.TrimSpace(j.On)))
	}
	if found.Change.Where != "" {
		fmt.Fprintf(w, "  where %s\n", printable(strings.TrimSpace(found.Change.Where)))
	}
	for _, note := range found.Notes {
		fmt.Fprintf(w, "note: %s\n", printable(note))
	}
	words := []string{"start", subject.name}
	if subject.file != "" {
		words = []string{"start", "-f", subject.file}
	}
	for _, name := range slices.Sorted(maps.Keys(subject.params)) {
		words = append(words, "-p", fmt.Sprintf("%s=%v", name, subject.params[name]))
	}
	fmt.Fprintf(w, "  %s    start it\n", s.suggest(words...))
}
