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
	"backfill/internal/keyset"
	"backfill/internal/prospect"

	"github.com/spf13/cobra"
)

// question is the input of validate.
type question struct {
	Action     string         `json:"action"`
	Backfill   string         `json:"backfill,omitempty"`
	Definition string         `json:"definition,omitempty"`
	Params     map[string]any `json:"params,omitempty"`
}

func validateCommand(s *session) *cobra.Command {
	var from naming
	var alone bool
	command := &cobra.Command{
		Use:   "validate NAME | FILE",
		Short: "Check a definition against the database; nothing is changed",
		Long: `Checks a definition against the real table; nothing is changed, and no run begins.
With --offline the file is checked by itself, as in the CI of the repository that has it: syntax, keys, types, limits. Then values
of parameters need not be given. Where the stack cannot be reached that much is checked as well: exit code 2 if it finds a
problem, else 3.`,
		Example: `  backfill validate users-email-normalized
  backfill validate users.yaml -p since=2022-01-01
  backfill validate users.yaml --offline`,
	}
	from.flags(command)
	command.Flags().BoolVar(&alone, "offline", false, "check the file by itself: no stack, no network")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		subject, err := from.read(s, command, args, true)
		if err != nil {
			return err
		}
		if alone {
			return s.validateOffline(subject)
		}
		stack, err := s.connect(ctx)
		if err != nil {
			return s.unasked(ctx, err, subject)
		}
		answer, err := stack.Control.Act(ctx, asked(subject))
		if err != nil {
			var fault *Fault
			if errors.As(err, &fault) {
				subject.locate(fault)
			}
			return s.unasked(ctx, err, subject)
		}
		var found prospect.Checked
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

func columnList(columns []change.Column) string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	return strings.Join(names, ", ")
}

func (s *session) fine(w io.Writer, found prospect.Checked, subject subject) {
	fmt.Fprintf(w, "%s can run on %s%s\n", found.Backfill, printable(found.Change.Table.String()), estimate(found.Estimated))
	does(w, found.Change)
	for _, note := range found.Notes {
		fmt.Fprintf(w, "note: %s\n", printable(note))
	}
	for _, obstacle := range found.InTheWay {
		fmt.Fprintf(w, "in the way: %s\n", printable(obstacle))
	}
	for _, unknown := range found.Unknown {
		fmt.Fprintf(w, "not known: %s\n", printable(unknown))
	}
	plan(w, found.Plan)
	words := startOf(subject)
	offer(w, step{s.suggest(append(words, "--dry-run")...), "see what it would do"}, step{s.suggest(words...), "start it"})
}

// startOf is the command that starts a subject.
func startOf(subject subject) []string {
	words := []string{"start", subject.name}
	if subject.file != "" {
		words = []string{"start", "-f", subject.file}
	}
	for _, name := range slices.Sorted(maps.Keys(subject.params)) {
		words = append(words, "-p", fmt.Sprintf("%s=%v", name, subject.params[name]))
	}
	return slices.Clip(words)
}

// does says what a change makes of each row.
func does(w io.Writer, c change.Change) {
	columns := c.Set
	if copied := c.Copy; copied != nil {
		fmt.Fprintf(w, "  %s the rows into %s, on conflict %s\n", c.Kind, printable(copied.Into.String()), copied.OnConflict)
		columns = copied.Columns
	}
	for _, set := range columns {
		fmt.Fprintf(w, "  %s = %s\n", printable(set.Column), printable(strings.TrimSpace(set.Expression)))
	}
	if f := c.Function; f != nil {
		fmt.Fprintf(w, "  %s = %s(%s), version %s\n", printable(columnList(f.Writes)), printable(f.Name), printable(columnList(f.Reads)), printable(f.Version))
	}
	if c.Kind.Deletes() {
		fmt.Fprintln(w, "  delete the rows")
	}
	if a := c.Archive; a != nil {
		fmt.Fprintf(w, "  archive them in %s\n", printable(a.Table.String()))
	}
	if j := c.Join; j != nil {
		for _, from := range j.From {
			fmt.Fprintf(w, "  from %s %s\n", printable(from.Table.String()), from.Alias)
		}
		fmt.Fprintf(w, "  joined on %s\n", printable(strings.TrimSpace(j.On)))
	}
	if c.Order == keyset.Descending {
		fmt.Fprintf(w, "  chunks from the greatest key (%s) down\n", printable(strings.Join(keyset.Names(c.Key), ", ")))
	}
	if c.Where != "" {
		fmt.Fprintf(w, "  where %s\n", printable(strings.TrimSpace(c.Where)))
	}
}
