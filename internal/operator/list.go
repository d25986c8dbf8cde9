package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// listing is the input of list.
type listing struct {
	Action string `json:"action"`
	Limit  int    `json:"limit"`
}

func listCommand(s *session) *cobra.Command {
	limit := 20
	command := &cobra.Command{
		Use:   "list",
		Short: "List runs, the newest first",
		Example: `  backfill list
  backfill list --limit 100 -o json | jq -r '.runs[] | select(.state == "RUNNING") | .run'`,
		Args: none,
		RunE: runs(func(ctx context.Context, _ []string) error {
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			answer, err := stack.Control.Look(ctx, listing{Action: "list", Limit: limit})
			if err != nil {
				return err
			}
			var found struct {
				Runs []run.Status `json:"runs"`
			}
			if err := json.Unmarshal(answer, &found); err != nil {
				return fmt.Errorf("read the list of runs: %w", err)
			}
			return s.print(answer, func(w io.Writer) { s.table(w, found.Runs) })
		}),
	}
	command.Flags().IntVar(&limit, "limit", limit, "how many, 1 to 100")
	return command
}

// table shows runs, a line each.
func (s *session) table(w io.Writer, runs []run.Status) {
	if len(runs) == 0 {
		fmt.Fprintf(w, "no run yet; %s begins one\n", s.suggest("start", "NAME"))
		return
	}
	now, t := s.Now(), table{}
	t.head("RUN", "STATE", "DONE", "ROWS", "RATE", "STARTED", "TABLE", "REASON")
	for _, r := range runs {
		rate := ""
		if moving(r.State) {
			rate = count(int64(r.Rate)) + "/s"
		}
		t.row(r.Run, string(r.State), fmt.Sprintf("%d%%", percent(r)), count(r.Rows.Affected), rate,
			age(now.Sub(r.StartedAt)), r.Table, r.Reason)
	}
	columns, terminal := s.Width(w)
	if terminal {
		t.fit(columns)
	}
	t.write(w, func(column int, cell string) string {
		if column != 1 || !s.colour(w) {
			return cell
		}
		return s.painted(w, run.State(cell))
	})
}
