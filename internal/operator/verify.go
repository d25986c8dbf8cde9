package operator

import (
	"context"

	"backfill/internal/request"

	"github.com/spf13/cobra"
)

func verifyCommand(s *session) *cobra.Command {
	var count, wait bool
	command := &cobra.Command{
		Use:   "verify RUN",
		Short: "Look at the rows of a run once more, and certify that they hold what they should",
		Long: `Has a run verified that is COMPLETED, and follows that until it is accepted or refused.
Where what a row should hold follows from what the run leaves alone, every row up to the run's end is looked at, chunk by chunk, throttled as
the run was. A row that does not hold it was changed since, came late, or was passed over: IT IS WRITTEN AGAIN, also where somebody changed
it on purpose; with --no-write it is only counted, and deviations gives the SQL that lists them. What was written can be rolled back with the run.
Elsewhere nothing is looked at but the ledger, and nothing is written. The query of the definition's verify is asked in any case.
The exit code of --wait is 0 where all holds; a run that does not hold stays COMPLETED.`,
		Example: `  backfill verify email-1 --no-write --wait
  backfill verify email-1 --wait && backfill certificate email-1`,
		Args: oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			asked := request.Request{Action: request.Verify, Run: args[0]}
			if count {
				asked.Write = new(bool)
			}
			return s.send(ctx, asked, wait)
		}),
	}
	command.Flags().BoolVar(&count, "no-write", false, "only count the rows that do not hold what they should")
	command.Flags().BoolVar(&wait, "wait", false, "follow the verification to its end, as watch does")
	return command
}
