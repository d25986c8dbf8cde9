package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// catalogue is the input of definitions.
type catalogue struct {
	Action  string `json:"action"`
	Name    string `json:"name,omitempty"`
	Version int64  `json:"version,omitempty"`
}

// known is one definition of the stack, or one version of it.
type known struct {
	Name        string     `json:"name"`
	Version     int64      `json:"version"`
	Table       string     `json:"table"`
	Database    string     `json:"database,omitempty"`
	Description string     `json:"description"`
	By          string     `json:"registered_by"`
	At          *time.Time `json:"registered_at"`
}

// shown is one version with its text.
type shown struct {
	known
	Source   string  `json:"definition"`
	Versions []known `json:"versions"`
}

func definitionsCommand(s *session) *cobra.Command {
	asked := catalogue{Action: "definitions"}
	command := &cobra.Command{
		Use:   "definitions [NAME]",
		Short: "List the definitions that the stack has, or show one with its versions",
		Example: `  backfill definitions
  backfill definitions orders-cents --version 2
  backfill definitions orders-cents -o json | jq -r .definition`,
	}
	command.Flags().Int64Var(&asked.Version, "version", 0, "`N` of the version to show (default: the newest)")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		switch {
		case len(args) > 1:
			return misused(command, fmt.Errorf("one NAME is taken, and %d were given: %s", len(args), strings.Join(args, " ")))
		case len(args) == 1:
			asked.Name = args[0]
		case command.Flags().Changed("version"):
			return misused(command, errors.New("--version needs the NAME of a definition"))
		}
		if command.Flags().Changed("version") && asked.Version < 1 {
			return misused(command, fmt.Errorf("--version %d: versions count from 1", asked.Version))
		}
		return s.definitions(ctx, asked)
	})
	return command
}

func (s *session) definitions(ctx context.Context, asked catalogue) error {
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	answer, err := stack.Control.Look(ctx, asked)
	if err != nil {
		return err
	}
	var found struct {
		Definitions []known `json:"definitions"`
		shown
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		return fmt.Errorf("read the definitions: %w", err)
	}
	return s.print(answer, func(w io.Writer) {
		if asked.Name == "" {
			s.catalogue(w, found.Definitions)
			return
		}
		s.shown(w, found.shown)
	})
}

// catalogue shows definitions, a line each.
func (s *session) catalogue(w io.Writer, all []known) {
	t := table{}
	t.head("NAME", "VERSION", "TABLE", "REGISTERED", "BY", "DESCRIPTION")
	for _, d := range all {
		version, since := "built in", ""
		if d.Version > 0 {
			version = fmt.Sprint(d.Version)
		}
		if d.At != nil {
			since = age(s.Now().Sub(*d.At))
		}
		t.row(d.Name, version, in(d.Table, d.Database), since, d.By, d.Description)
	}
	if columns, terminal := s.Width(w); terminal {
		t.fit(columns)
	}
	t.write(w, func(_ int, cell string) string { return cell })
}

// shown shows one definition: what it is, the other versions, and its text.
func (s *session) shown(w io.Writer, d shown) {
	what := d.Name + ", built in"
	if d.Version > 0 {
		what = fmt.Sprintf("%s@%d, %s", d.Name, d.Version, s.since(d.known))
	}
	fmt.Fprintln(w, printable(what))
	for _, other := range d.Versions {
		if other.Version != d.Version {
			fmt.Fprintf(w, "  version %d, %s\n", other.Version, printable(s.since(other)))
		}
	}
	fmt.Fprintln(w)
	for line := range strings.Lines(d.Source) {
		fmt.Fprintln(w, printable(strings.TrimRight(line, "\r\n")))
	}
}

// since is when a version was registered, and by whom.
func (s *session) since(d known) string {
	text := "registered " + moment(d.At, s.Now())
	if d.By != "" {
		text += " by " + d.By
	}
	return text
}
