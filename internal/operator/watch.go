package operator

import (
	"context"

	"backfill/internal/run"

	"github.com/spf13/cobra"
)

func watchCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "watch RUN",
		Short: "Follow a run to its end",
		Long: `Follows a run to its end: the whole status on a terminal, drawn anew each second, after a minute every other, elsewhere a line whenever figures change.
Ctrl-C leaves the run alone (exit code 130). The exit code tells how the run ended: 0 COMPLETED or ROLLED_BACK, else 1. A run that has paused itself until somebody
decides is not waited for: 0 for a canary in which nothing failed or deviates, 1 for another, and for a chunk that failed with on_failure: pause.`,
		Example: `  backfill watch email-1
  backfill watch email-1 -o json    # one document, when the run has ended`,
		Args: oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			err = s.watch(ctx, args[0], s.untilEnded(stack.Control, args[0], run.Completed, run.RolledBack))
			return s.unknown(ctx, stack.Control, args[0], err)
		}),
	}
}
