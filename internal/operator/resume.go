package operator

import (
	"context"

	"backfill/internal/request"

	"github.com/spf13/cobra"
)

func resumeCommand(s *session) *cobra.Command {
	var wait, all bool
	command := &cobra.Command{
		Use:   "resume RUN | --all",
		Short: "Go on with a run that is paused, was cancelled, has failed or lost its execution",
		Long: `Lets a run go on that is paused, by whomever or for whatever. Brings a run back that was cancelled, has failed or lost its execution, and follows it until
that is accepted or refused.
It goes on from where it stopped, as the same run; chunks that failed are tried again. A rollback goes on as a rollback.
With --all the runs go on that pause --all has paused; one that was paused by its name, or since a chunk failed, stays so.`,
		Example: `  backfill resume email-1
  backfill resume email-1 --wait
  backfill resume --all`,
		Args: runOrAll(&all),
		RunE: runs(func(ctx context.Context, args []string) error {
			if all {
				return s.actOnAll(ctx, resuming{Action: "resume", By: s.By, All: true}, "no run is paused by pause --all", step{s.suggest("list"), "see how they stand"})
			}
			return s.send(ctx, request.Request{Action: request.Resume, Run: args[0]}, wait)
		}),
	}
	command.Flags().BoolVar(&all, "all", false, "the runs that pause --all has paused")
	command.Flags().BoolVar(&wait, "wait", false, "follow the run to its end, as watch does")
	return command
}
