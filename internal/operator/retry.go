package operator

import (
	"context"

	"backfill/internal/request"

	"github.com/spf13/cobra"
)

func retryCommand(s *session) *cobra.Command {
	var wait bool
	command := &cobra.Command{
		Use:   "retry RUN",
		Short: "Try the failed chunks and the rejected rows of a run again",
		Long: `Brings a run back that has ended, tries its rejected rows and its failed chunks again, and what it had not come to, and follows
it until that is accepted or refused. It is the same run, with the definition that was stored when it began: mend the rows first.
Rows that fail again stay rejected, with their new error. Chunks that are done are left alone but for those rows.`,
		Example: `  backfill retry email-1
  backfill retry email-1 --wait`,
		Args: oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			return s.send(ctx, request.Request{Action: request.Retry, Run: args[0]}, wait)
		}),
	}
	command.Flags().BoolVar(&wait, "wait", false, "follow the run to its end, as watch does")
	return command
}
