package operator

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

func statusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "status RUN",
		Short: "Show how a run stands",
		Example: `  backfill status email-1
  backfill status email-1 -o json | jq .rows.affected`,
		Args: oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			status, answer, err := statusOf(ctx, stack.Control, args[0])
			if err != nil {
				return s.unknown(ctx, stack.Control, args[0], err)
			}
			return s.print(answer, func(w io.Writer) { s.screen(w, status) })
		}),
	}
}
