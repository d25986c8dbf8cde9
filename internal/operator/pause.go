package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"backfill/internal/request"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// resuming is the input of resume, and the beginning of that of pause: a run, or all of them.
type resuming struct {
	Action string `json:"action"`
	Run    string `json:"run,omitempty"`
	By     string `json:"by,omitempty"`
	All    bool   `json:"all,omitempty"`
}

type pausing struct {
	resuming
	Reason string `json:"reason,omitempty"`
}

// runOrAll demands a run's id, or --all in its place.
func runOrAll(all *bool) cobra.PositionalArgs {
	return func(at *cobra.Command, args []string) error {
		switch {
		case *all && len(args) > 0:
			return misused(at, fmt.Errorf("--all takes no RUN, and %s was given", args[0]))
		case *all:
			return nil
		case len(args) == 0:
			return misused(at, errors.New("RUN is missing: the id of a run, as backfill list shows it, or --all"))
		}
		return oneRun()(at, args)
	}
}

func pauseCommand(s *session) *cobra.Command {
	reason, all := "", false
	command := &cobra.Command{
		Use:   "pause RUN | --all",
		Short: "Stop a run for a while; resume lets it go on",
		Long: `Stops a run, or its rollback, for a while: no batch begins any more, batches that are at work are finished, then the run is
PAUSED. Its table stays its own, and nothing is invoked until somebody lets it go on, or cancels it.
With --all every run of the stack that has not ended; one that begins later is not. resume --all lets these go on.`,
		Example: `  backfill pause email-1 --reason "a release goes out"
  backfill resume email-1
  backfill pause --all`,
		Args: runOrAll(&all),
		RunE: runs(func(ctx context.Context, args []string) error {
			asked := pausing{resuming{Action: "pause", By: s.By, All: all}, reason}
			if all {
				return s.actOnAll(ctx, asked, "no run goes on", step{s.suggest("resume", "--all"), "let them go on"})
			}
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			asked.Run = args[0]
			answer, err := stack.Control.Act(ctx, asked)
			if err != nil {
				return s.unknown(ctx, stack.Control, args[0], err)
			}
			status, err := decodeStatus(answer)
			if err != nil {
				return err
			}
			return s.print(answer, func(w io.Writer) { s.paused(w, status) })
		}),
	}
	command.Flags().BoolVar(&all, "all", false, "every run of the stack that has not ended")
	command.Flags().StringVar(&reason, "reason", "", "`TEXT` that is shown with the run until it goes on")
	return command
}

// actOnAll pauses runs, or lets them go on, and lists them as they stand then.
func (s *session) actOnAll(ctx context.Context, asked any, none string, next step) error {
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	answer, err := stack.Control.Act(ctx, asked)
	if err != nil {
		return err
	}
	var found struct {
		Runs []run.Status `json:"runs"`
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		return fmt.Errorf("read the list of runs: %w", err)
	}
	return s.print(answer, func(w io.Writer) {
		if len(found.Runs) == 0 {
			fmt.Fprintln(w, none)
			return
		}
		s.table(w, found.Runs)
		offer(w, next)
	})
}

// paused tells how far a pause is. It shows no figures: those in the answer may be older than the last batches.
func (s *session) paused(w io.Writer, status run.Status) {
	text := "no batch begins any more"
	if status.State == run.Paused {
		text = status.Reason
	}
	fmt.Fprintln(w, printable(fmt.Sprintf("run %s is %s: %s", status.Run, status.State, text)))
	offer(w, s.steps(status)...)
}

// unpause lets a paused run go on, by the action resume or approve: its execution waits, so none is started. It tells whether that is gone: then one has to be.
func (s *session) unpause(ctx context.Context, stack Stack, action, id string, wait bool) (lost bool, err error) {
	answer, err := stack.Control.Act(ctx, resuming{Action: action, Run: id, By: s.By})
	if err != nil {
		return false, err
	}
	status, err := decodeStatus(answer)
	if err != nil {
		return false, err
	}
	var execution struct {
		Lost bool `json:"lost"`
	}
	if err := json.Unmarshal(answer, &execution); err != nil || execution.Lost {
		return execution.Lost, err
	}
	if wait {
		return false, s.follow(ctx, id, s.untilEnded(stack.Control, id, run.Completed, run.RolledBack))
	}
	resumed := errand{request: request.Request{Action: request.Resume, Run: id}}
	return false, s.print(answer, func(w io.Writer) { s.underWay(w, resumed, status) })
}
