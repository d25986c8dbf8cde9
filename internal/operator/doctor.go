package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"backfill/internal/figure"

	"github.com/spf13/cobra"
)

// The states of a check.
const (
	well  = "ok"
	minor = "warn" // runs work, and somebody should know
	ill   = "fail"
)

// check is one line of doctor.
type check struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
	// Database is the one that was looked at, where the stack has several.
	Database string `json:"database,omitempty"`
}

// examination is the answer.
type examination struct {
	OK     bool    `json:"ok"`
	Checks []check `json:"checks"`
}

// fewest is how many invocations should be left to planner, governor, control and other functions of the account.
const fewest = 10

func doctorCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check account, rights, functions, network and database, each with its remedy",
		Long: `Looks at all that a run needs: the account and the stack, your rights (the one to start is the only one that cannot be tried), the
functions and their way to the database, its role, version and settings, and what else the server is busy with. Nothing is changed.
One line each, and behind what is not well what to do. Exit code 1 where a check has failed; one that warns does not fail.
Rights on the table of a definition are checked by validate.`,
		Example: `  backfill doctor
  backfill doctor --stack prod --profile ops -o json | jq -r '.checks[] | select(.state != "ok") | .remedy'`,
		Args: none,
		RunE: runs(func(ctx context.Context, _ []string) error { return s.doctor(ctx) }),
	}
}

func (s *session) doctor(ctx context.Context) error {
	var e examination
	stack, err := s.connect(ctx)
	if err != nil {
		e.fault("stack", err)
	} else {
		e.add("stack", well, "stack "+s.place.Stack+" is there", "")
		e.caller(ctx, stack.Caller)
		e.inside(ctx, stack.Control)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failed := 0
	for _, c := range e.Checks {
		if c.State == ill {
			failed++
		}
	}
	e.OK = failed == 0
	answer, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write what was found: %w", err)
	}
	if err := s.print(answer, func(w io.Writer) { s.examined(w, e) }); err != nil || e.OK {
		return err
	}
	return &Fault{Exit: exitFailed, Message: figure.Plural(int64(failed), "check has failed", "checks have failed"),
		Next: "do what its line says, then run " + s.suggest("doctor") + " again", answered: true}
}

func (e *examination) add(name, state, text, remedy string) {
	e.Checks = append(e.Checks, check{Name: name, State: state, Text: text, Remedy: remedy})
}

// fault is a check that could not be made.
func (e *examination) fault(name string, err error) {
	fault := asFault(context.Background(), err)
	e.add(name, ill, fault.Message, cmp.Or(fault.Next, "try again; the logs of the function tell more"))
}

// caller looks at who asks, and at the account.
func (e *examination) caller(ctx context.Context, caller Caller) {
	if account, arn, err := caller.Identity(ctx); err != nil {
		e.fault("account", err)
	} else {
		e.add("account", well, "account "+account+", as "+arn, "")
	}
	for _, right := range caller.Rights(ctx) {
		if right.Err == nil {
			e.add("may "+right.Name, well, right.Needed, "")
			continue
		}
		state := ill
		if right.Name != "look" { // who only looks needs no other
			state = minor
		}
		e.add("may "+right.Name, state, asFault(ctx, right.Err).Message, "ask for "+right.Needed)
	}
	switch whole, free, err := caller.Concurrency(ctx); {
	case err != nil:
		e.add("concurrency", minor, asFault(ctx, err).Message, "ask for lambda:GetAccountSettings, or look at Service Quotas")
	case free < fewest:
		e.add("concurrency", minor, fmt.Sprintf("%d of the account's %d invocations at once are not reserved: planner and governor wait for each other", free, whole),
			"ask for more in Service Quotas, or lower what other functions reserve")
	default:
		e.add("concurrency", well, fmt.Sprintf("%d of the account's %d invocations at once are not reserved", free, whole), "")
	}
}

// inside has the control function look at what it reaches.
func (e *examination) inside(ctx context.Context, control Control) {
	answer, err := control.Look(ctx, struct {
		Action string `json:"action"`
	}{"doctor"})
	var found struct {
		Checks []check `json:"checks"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &found)
	}
	switch {
	case isInvalid(err):
		e.add("functions", ill, asFault(ctx, err).Message, "the stack is older than this command: deploy this version")
	case err != nil:
		e.fault("functions", err)
	default:
		e.add("functions", well, "the control function answers", "")
		e.Checks = slices.Concat(e.Checks, found.Checks)
	}
}

// colours of the states, for a terminal.
var colours = map[string]string{well: "32", minor: "33", ill: "31"}

// examined prints a line each, those of a database under its name. It is not cut: the remedy is at its end.
func (s *session) examined(w io.Writer, e examination) {
	var of string
	for _, c := range e.Checks {
		if c.Database != of {
			of = c.Database
			fmt.Fprintf(w, "database %s\n", printable(of))
		}
		state, line := fmt.Sprintf("%-4s", printable(c.State)), fmt.Sprintf("%-12s  %s", printable(c.Name), printable(c.Text))
		if s.colour(w) {
			state = "\x1b[" + colours[c.State] + "m" + state + "\x1b[0m"
		}
		if c.Remedy != "" {
			line += "; " + printable(c.Remedy)
		}
		fmt.Fprintf(w, "%s  %s\n", state, line)
	}
}
