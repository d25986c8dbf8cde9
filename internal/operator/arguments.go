package operator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// one demands a single argument, and says what it is.
func one(name, hint string) cobra.PositionalArgs {
	return func(at *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misused(at, fmt.Errorf("%s is missing: %s", name, hint))
		case len(args) > 1:
			return misused(at, fmt.Errorf("one %s is taken, and %d were given: %s", name, len(args), strings.Join(args, " ")))
		}
		return nil
	}
}

// oneRun demands a run's id.
func oneRun() cobra.PositionalArgs { return one("RUN", "the id of a run, as backfill list shows it") }

func none(at *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misused(at, fmt.Errorf("no argument is taken, and %q was given", strings.Join(args, " ")))
	}
	return nil
}

// parameters reads -p key=value. All values are texts: the definition says what type each has.
func parameters(at *cobra.Command, given []string) (map[string]any, error) {
	var params map[string]any
	for _, pair := range given {
		key, value, found := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if !found || key == "" {
			return nil, misused(at, fmt.Errorf("-p %s is not key=value", pair))
		}
		if _, twice := params[key]; twice {
			return nil, misused(at, fmt.Errorf("-p %s is given twice", key))
		}
		if params == nil {
			params = map[string]any{}
		}
		params[key] = value
	}
	return params, nil
}

// flagsOf are the flags of a command as they were given, for a suggestion to repeat; those that every command has are
// repeated by suggest.
func flagsOf(at *cobra.Command, except ...string) []string {
	var words []string
	at.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed || slices.Contains(except, flag.Name) {
			return
		}
		name := "--" + flag.Name
		if flag.Shorthand != "" {
			name = "-" + flag.Shorthand
		}
		switch value := flag.Value.(type) {
		case pflag.SliceValue:
			for _, one := range value.GetSlice() {
				words = append(words, name, one)
			}
		default:
			words = append(words, name)
			if value.Type() != "bool" {
				words = append(words, value.String())
			}
		}
	})
	return words
}
