package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"backfill/internal/definition"

	"github.com/spf13/cobra"
)

// registration is the input of register.
type registration struct {
	Action     string         `json:"action"`
	Definition string         `json:"definition"`
	Params     map[string]any `json:"params,omitempty"`
	By         string         `json:"by"`
}

// registered is the part of the answer that people read.
type registered struct {
	Name      string   `json:"name"`
	Version   int64    `json:"version"`
	Table     string   `json:"table"`
	New       bool     `json:"new"`
	Estimated int64    `json:"estimated"`
	Notes     []string `json:"notes"`
}

func registerCommand(s *session) *cobra.Command {
	var from naming
	command := &cobra.Command{
		Use:   "register FILE",
		Short: "Register a definition in the stack, to be started by its name",
		Long: `Checks a definition against the database, as validate does, and keeps it in the stack as the next version of its name.
The same content again is the version that is there. Versions are kept; start NAME takes the newest, start NAME@2 the second.
It needs a right of its own: to invoke the alias "register" of the control function.`,
		Example: `  backfill register orders-cents.yaml
  backfill register orders-cents.yaml -p since=2024-01-01`,
		Args: one("FILE", "a file with a definition, or - for stdin"),
	}
	command.Flags().StringArrayVarP(&from.params, "param", "p", nil,
		"a value to check the statements with, `key=value`; default: the parameter's own default, or an example of its type")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		from.file = args[0]
		subject, err := from.read(s, command, nil, true)
		if err != nil {
			return err
		}
		return s.register(ctx, subject)
	})
	return command
}

func (s *session) register(ctx context.Context, subject subject) error {
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	answer, err := stack.Control.Register(ctx, registration{Action: "register", Definition: subject.text, Params: subject.params, By: s.By})
	if err != nil {
		var fault *Fault
		if errors.As(err, &fault) {
			subject.locate(fault)
		}
		return err
	}
	var made registered
	if err := json.Unmarshal(answer, &made); err != nil {
		return fmt.Errorf("read the answer about %s: %w", subject.name, err)
	}
	return s.print(answer, func(w io.Writer) { s.registered(w, made, subject) })
}

func (s *session) registered(w io.Writer, made registered, subject subject) {
	what := "is registered"
	if !made.New {
		what = "is registered already, with this content"
	}
	fmt.Fprintf(w, "%s@%d %s: it can run on %s%s\n", made.Name, made.Version, what, printable(made.Table), estimate(made.Estimated))
	for _, note := range made.Notes {
		fmt.Fprintf(w, "note: %s\n", printable(note))
	}
	words, purpose := []string{"start", made.Name}, "start it"
	if values := toBeGiven(subject); len(values) > 0 {
		words, purpose = append(words, values...), "start it, with values of your own"
	}
	offer(w, step{s.suggest(words...), purpose}, step{s.suggest("definitions", made.Name), "show its text and its versions"})
}

// toBeGiven are the parameters that each start has to give, with what they were checked with, or an example of their type.
func toBeGiven(subject subject) []string {
	d, _ := definition.Parse([]byte(subject.text)) // it was judged
	examples := d.Examples(nil)
	var words []string
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		value := examples[name]
		if given, there := subject.params[name]; there {
			value = given
		}
		words = append(words, "-p", fmt.Sprintf("%s=%v", name, value))
	}
	return words
}
