package operator

import (
	"context"
	"fmt"
	"io"

	"backfill/internal/request"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// pausing is the input of pause.
type pausing struct {
	named
	Reason string `json:"reason,omitempty"`
}

func pauseCommand(s *session) *cobra.Command {
	reason := ""
	command := &cobra.Command{
		Use:   "pause RUN",
		Short: "Stop a run for a while; resume lets it go on",
		Long: `Stops a run, or its rollback, for a while: no batch begins any more, batches that are at work are finished, then the run is
PAUSED. Its table stays its own, and nothing is invoked until somebody lets it go on, or cancels it.`,
		Example: `  backfill pause email-1 --reason "a release goes out"
  backfill resume email-1`,
		Args: oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			answer, err := stack.Control.Act(ctx, pausing{named{Action: "pause", Run: args[0], By: s.By}, reason})
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
	command.Flags().StringVar(&reason, "reason", "", "`TEXT` that is shown with the run until it goes on")
	return command
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

// unpause lets a paused run go on: its execution waits, so none is started.
func (s *session) unpause(ctx context.Context, stack Stack, id string, wait bool) error {
	answer, err := stack.Control.Act(ctx, named{Action: "resume", Run: id, By: s.By})
	if err != nil {
		return err
	}
	status, err := decodeStatus(answer)
	if err != nil {
		return err
	}
	if wait {
		return s.follow(ctx, id, s.untilEnded(stack.Control, id, run.Completed, run.RolledBack))
	}
	resumed := errand{request: request.Request{Action: request.Resume, Run: id}}
	return s.print(answer, func(w io.Writer) { s.underWay(w, resumed, status) })
}
