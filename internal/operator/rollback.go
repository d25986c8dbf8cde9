package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backfill/internal/request"

	"github.com/spf13/cobra"
)

func rollbackCommand(s *session) *cobra.Command {
	asked := request.Request{Action: request.Rollback}
	var wait bool
	command := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Take back what a run wrote, all of it or some chunks",
		Long: `Gives rows back what they held before the run, and follows the rollback until it is accepted or refused.
Rows that no longer hold what the run wrote are left alone: backfill conflicts RUN lists them.
The run has to have ended. When some of its chunks are rolled back, it has the state of before again.
The exit code of --wait is that of the rollback: 0 when it was carried out.`,
		Example: `  backfill rollback email-1
  backfill rollback email-1 --chunks 3,7-9 --wait`,
		Args: oneRun(),
	}
	command.Flags().StringVar(&asked.Chunks, "chunks", "", "`NUMBERS` and ranges of chunks, as 3,7-9 (default: all)")
	command.Flags().BoolVar(&asked.Force, "force", false, "also where a newer run wrote the same columns; rows that it wrote are left alone")
	command.Flags().BoolVar(&wait, "wait", false, "follow the rollback to its end, as watch does")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		if err := some(command, asked.Chunks); err != nil {
			return err
		}
		asked.Run = args[0]
		return s.send(ctx, asked, wait)
	})
	return command
}

// some refuses a list of chunks that names none: a script whose variable is empty does not mean all of them.
func some(at *cobra.Command, chunks string) error {
	if at.Flags().Changed("chunks") && strings.TrimSpace(chunks) == "" {
		return misused(at, errors.New("--chunks is empty; leave it out to roll back the whole run"))
	}
	if _, err := request.ParseChunks(chunks); err != nil {
		return misused(at, fmt.Errorf("--chunks %s: %w", chunks, err))
	}
	return nil
}
