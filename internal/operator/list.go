package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"backfill/internal/figure"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// mostRuns is how many control lists in one answer.
const mostRuns = 100

// listing is the input of list.
type listing struct {
	Action string `json:"action"`
	Limit  int    `json:"limit"`
}

// listed is the answer, and how many starts that never began were left out of it.
type listed struct {
	Runs   []json.RawMessage `json:"runs"`
	Hidden int64             `json:"hidden"`
	shown  []run.Status
}

func listCommand(s *session) *cobra.Command {
	limit, all := 20, false
	command := &cobra.Command{
		Use:   "list",
		Short: "List runs, the newest first",
		Long:  `Lists runs, the newest first. Starts that were refused, or failed before they began, are shown by --all only.`,
		Example: `  backfill list
  backfill list --limit 100 -o json | jq -r '.runs[] | select(.state == "RUNNING") | .run'`,
		Args: none,
	}
	command.Flags().IntVar(&limit, "limit", limit, "how many, 1 to 100")
	command.Flags().BoolVar(&all, "all", false, "also starts that never began")
	command.RunE = runs(func(ctx context.Context, _ []string) error {
		if limit < 1 || limit > mostRuns {
			return misused(command, fmt.Errorf("--limit %d is not within 1 to %d", limit, mostRuns))
		}
		stack, err := s.connect(ctx)
		if err != nil {
			return err
		}
		found, err := list(ctx, stack.Control, limit, all)
		if err != nil {
			return err
		}
		answer, err := json.Marshal(found)
		if err != nil {
			return fmt.Errorf("write the list of runs: %w", err)
		}
		return s.print(answer, func(w io.Writer) { s.list(w, found) })
	})
	return command
}

// list asks for the newest runs. Where starts that never began would take their places, it looks as far back as control
// goes: somebody on call wants to see what works on tables, however often a schedule was refused since.
func list(ctx context.Context, control Control, limit int, all bool) (listed, error) {
	ask := mostRuns
	if all {
		ask = limit
	}
	answer, err := control.Look(ctx, listing{Action: "list", Limit: ask})
	if err != nil {
		return listed{}, err
	}
	var newest listed
	if err := json.Unmarshal(answer, &newest); err != nil {
		return listed{}, fmt.Errorf("read the list of runs: %w", err)
	}
	found := listed{Runs: []json.RawMessage{}}
	for _, raw := range newest.Runs {
		status, err := decodeStatus(raw)
		switch {
		case err != nil:
			return listed{}, err
		case len(found.Runs) == limit:
			return found, nil
		case !all && !began(status):
			found.Hidden++
		default:
			found.Runs, found.shown = append(found.Runs, raw), append(found.shown, status)
		}
	}
	return found, nil
}

// list shows runs, and how many starts are left out.
func (s *session) list(w io.Writer, found listed) {
	switch {
	case len(found.shown) > 0:
		s.table(w, found.shown)
	case found.Hidden == 0:
		fmt.Fprintf(w, "no run yet; %s begins one\n", s.suggest("start", "NAME"))
	default:
		fmt.Fprintln(w, "no run to show")
	}
	if found.Hidden > 0 {
		fmt.Fprintf(w, "%s not shown; %s shows them\n",
			figure.Plural(found.Hidden, "start that never began is", "starts that never began are"), s.suggest("list", "--all"))
	}
}

// table shows runs, a line each.
func (s *session) table(w io.Writer, runs []run.Status) {
	now, t := s.Now(), table{}
	versions := slices.ContainsFunc(runs, func(r run.Status) bool { return r.Version > 0 })
	put := func(backfill string, cells ...string) {
		if versions { // of what is compiled in, and of a file, the run's id tells enough
			cells = slices.Insert(cells, len(cells)-1, backfill)
		}
		t.row(cells...)
	}
	put("BACKFILL", "RUN", "STATE", "DONE", "ROWS", "RATE", "STARTED", "TABLE", "REASON")
	for _, r := range runs {
		rate, reason := "", brief(r.Reason)
		if moving(r.State) {
			rate = figure.Count(int64(r.Rate)) + "/s"
		}
		if where := halfway(r); where != "" {
			reason = where[1:] + ": " + reason
		}
		put(definitionOf(r), r.Run, string(r.State), fmt.Sprintf("%d%%", percent(r)), figure.Count(r.Rows.Affected), rate,
			age(now.Sub(r.StartedAt)), tableOf(r), reason)
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
