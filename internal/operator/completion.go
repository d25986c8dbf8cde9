package operator

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"backfill/internal/skeleton"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completing bounds the wait of somebody who pressed Tab: without an answer there is nothing to choose from.
const completing = 4 * time.Second

// mostCompleted is how many runs are offered.
const mostCompleted = 50

// complete gives each command what the shell offers for its arguments and flags.
func (s *session) complete(root *cobra.Command) {
	offered(root.PersistentFlags(), root)
	for _, command := range root.Commands() {
		switch use := command.Use; {
		case strings.Contains(use, "RUN"):
			command.ValidArgsFunction = s.runsFor
		case strings.Contains(use, "NAME") && strings.Contains(use, "FILE"):
			command.ValidArgsFunction = s.namesFor(cobra.ShellCompDirectiveDefault)
		case strings.Contains(use, "FILE"):
			command.ValidArgsFunction = definitionFiles
		case strings.HasPrefix(use, "definitions"):
			command.ValidArgsFunction = s.namesFor(cobra.ShellCompDirectiveNoFileComp)
		default:
			command.ValidArgsFunction = cobra.NoFileCompletions
		}
		offered(command.Flags(), command)
	}
}

var definitionFiles = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)

// choices are the values of flags; of another flag nothing is offered, and no file either.
var choices = map[string]cobra.CompletionFunc{
	"file":   definitionFiles,
	"folder": cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
	"kind":   cobra.FixedCompletions(skeleton.Kinds(), cobra.ShellCompDirectiveNoFileComp),
	"output": cobra.FixedCompletions([]string{textFormat, jsonFormat}, cobra.ShellCompDirectiveNoFileComp),
	"state": cobra.FixedCompletions([]string{"pending", "processing", "completed", "failed", "rolled_back"},
		cobra.ShellCompDirectiveNoFileComp),
}

// offered says what is offered for each of the flags.
func offered(flags *pflag.FlagSet, of *cobra.Command) {
	flags.VisitAll(func(flag *pflag.Flag) {
		choice, ok := choices[flag.Name]
		if !ok {
			choice = cobra.NoFileCompletions
		}
		_ = of.RegisterFlagCompletionFunc(flag.Name, choice) // it fails for a flag that is not there
	})
}

// runsFor offers the newest runs, with how they stand.
func (s *session) runsFor(at *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var choice []string
	s.asked(at, func(ctx context.Context, control Control) error {
		found, err := list(ctx, control, mostCompleted, false)
		for _, r := range found.shown {
			choice = append(choice, r.Run+"\t"+printable(string(r.State)+", "+onTable(r)))
		}
		return err
	})
	return thatBegin(choice, begun), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// namesFor offers the definitions of the stack, and files where the command takes one.
func (s *session) namesFor(others cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(at *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var found struct{ Definitions []known }
		s.asked(at, func(ctx context.Context, control Control) error {
			answer, err := control.Look(ctx, catalogue{Action: "definitions"})
			if err != nil {
				return err
			}
			return json.Unmarshal(answer, &found)
		})
		var choice []string
		for _, d := range found.Definitions {
			choice = append(choice, d.Name+"\t"+printable(d.Description))
		}
		return thatBegin(choice, begun), others
	}
}

// asked asks the stack. What goes wrong is not told: the shell stands in the middle of a line.
func (s *session) asked(at *cobra.Command, ask func(ctx context.Context, control Control) error) {
	ctx, cancel := context.WithTimeout(at.Context(), completing)
	defer cancel()
	if stack, err := s.connect(ctx); err == nil {
		_ = ask(ctx, stack.Control)
	}
}

func thatBegin(choice []string, with string) (fit []string) {
	for _, c := range choice {
		if strings.HasPrefix(c, with) {
			fit = append(fit, c)
		}
	}
	return fit
}
