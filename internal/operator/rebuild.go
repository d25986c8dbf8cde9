package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"backfill/internal/figure"

	"github.com/spf13/cobra"
)

// rebuilt is the part of the answer that people read.
type rebuilt struct {
	Run     string `json:"run"`
	Chunks  int64  `json:"chunks"`
	Gaps    int64  `json:"gaps"`
	Planned int64  `json:"planned"`
	Closed  bool   `json:"closed"`
}

func rebuildCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild RUN",
		Short: "Make the records of a run in DynamoDB again, from Postgres",
		Long: `Makes the records of a run in DynamoDB again from the ledger in Postgres, which knows what was written.
For a table of records that was lost or restored, or a database that was. It can be repeated, also while the run goes on.`,
		Example: "  backfill rebuild email-1",
		Args:    oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			answer, err := stack.Control.Act(ctx, named{Action: "rebuild", Run: args[0]})
			if err != nil {
				return s.unknown(ctx, stack.Control, args[0], err)
			}
			var made rebuilt
			if err := json.Unmarshal(answer, &made); err != nil {
				return fmt.Errorf("read the answer about run %s: %w", args[0], err)
			}
			return s.print(answer, func(w io.Writer) { s.rebuilt(w, made) })
		}),
	}
}

func (s *session) rebuilt(w io.Writer, made rebuilt) {
	fmt.Fprintf(w, "run %s: the records of %s were made again from the ledger\n", made.Run, figure.Plural(made.Chunks, "chunk", "chunks"))
	if made.Gaps > 0 {
		fmt.Fprintf(w, "  %s between them planned anew\n", figure.Plural(made.Gaps, "range", "ranges"))
	}
	extent := "the rest of the table is still to be planned"
	if made.Closed {
		extent = "that is the whole table"
	}
	fmt.Fprintf(w, "  %s planned now; %s\n", figure.Plural(made.Planned, "chunk is", "chunks are"), extent)
	offer(w, step{s.suggest("status", made.Run), "show how the run stands"})
}
