package operator

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"backfill/internal/figure"

	"github.com/spf13/cobra"
)

// mostRows is how many control lists in one answer.
const mostRows = 1000

// page is the input of conflicts and of rejects.
type page struct {
	Action string `json:"action"`
	Run    string `json:"run"`
	Limit  int64  `json:"limit"`
	After  int64  `json:"after,omitempty"`
}

// leftAlone is the part of the answer that people read. A value is null where the column is, Holds where the row is gone,
// Was where nobody knows.
type leftAlone struct {
	Columns   []string   `json:"columns"`
	Conflicts []conflict `json:"conflicts"`
	Next      int64      `json:"next"` // 0: none follows
}

type conflict struct {
	Chunk int64     `json:"chunk"`
	Key   []string  `json:"key"`
	Holds []*string `json:"holds"`
	Was   []*string `json:"was"`
	Why   string    `json:"why"` // "": it no longer holds what the run wrote
}

// inserted tells whether there was no row before the run.
func (c conflict) inserted() bool { return c.Was != nil && len(c.Was) == 0 }

// before is what a column held before the run where no value is kept of it.
func (c conflict) before() string {
	if c.inserted() {
		return "no row"
	}
	return "not known"
}

func conflictsCommand(s *session) *cobra.Command {
	asked := page{Action: "conflicts", Limit: 100}
	command := &cobra.Command{
		Use:   "conflicts RUN",
		Short: "List the rows that a rollback left alone",
		Long: `Lists the rows that a rollback left alone, since they no longer held what the run wrote, in the order of their keys.
A line for each column that the run wrote: what it holds now, which is when the rollback came by, and what it held before
the run, both cut to 1000 characters; "gone" where the row was deleted, "no row" where the run inserted it. Of rows that
could not be put back, or not be taken back, the reasons stand below.`,
		Example: `  backfill conflicts email-1
  backfill conflicts email-1 --limit 1000 --after 1000 -o json | jq -c '.conflicts[].key, .next'`,
		Args: oneRun(),
	}
	command.Flags().Int64Var(&asked.Limit, "limit", asked.Limit, "how many at most, 1 to 1000; less where rows are wide")
	command.Flags().Int64Var(&asked.After, "after", 0, "how many to leave out: those that were listed before")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		asked.Run = args[0]
		if err := within(command, asked.Limit, asked.After); err != nil {
			return err
		}
		var found leftAlone
		answer, err := s.fetch(ctx, asked.Run, "conflicts", asked, &found)
		if err != nil {
			return err
		}
		return s.print(answer, func(w io.Writer) { s.conflicts(w, asked, found) })
	})
	return command
}

// conflicts shows rows, a line for each column, and the way to those that follow.
func (s *session) conflicts(w io.Writer, asked page, found leftAlone) {
	if len(found.Conflicts) == 0 {
		fmt.Fprintln(w, noConflicts(asked))
		return
	}
	t := table{}
	t.head("CHUNK", "KEY", "COLUMN", "HOLDS NOW", "HELD BEFORE")
	for _, c := range found.Conflicts {
		missing := "gone"
		if c.Why != "" {
			missing = "not there"
		}
		for i, column := range found.Columns {
			t.row(strconv.FormatInt(c.Chunk, 10), strings.Join(c.Key, ", "), column, held(c.Holds, i, missing), held(c.Was, i, c.before()))
		}
	}
	if columns, terminal := s.Width(w); terminal {
		t.share(3, columns)
		t.fit(columns)
	}
	t.write(w, func(_ int, cell string) string { return cell })
	found.reasons(w)
	s.following(w, asked, found.Next)
}

// reasons prints why rows that the run deleted were not put back, and rows that it inserted not taken back.
func (l leftAlone) reasons(w io.Writer) {
	for _, c := range l.Conflicts {
		if c.Why != "" {
			what := "put back"
			if c.inserted() {
				what = "taken back"
			}
			fmt.Fprintf(w, "  %s was not %s: %s\n", printable(strings.Join(c.Key, ", ")), what, printable(c.Why))
		}
	}
}

// following shows the way to the rows after a page; 0: none follow.
func (s *session) following(w io.Writer, asked page, next int64) {
	if next > 0 {
		limit, after := strconv.FormatInt(asked.Limit, 10), strconv.FormatInt(next, 10)
		offer(w, step{s.suggest(asked.Action, asked.Run, "--limit", limit, "--after", after), "see those that follow"})
	}
}

func noConflicts(asked page) string {
	if asked.After > 0 {
		return fmt.Sprintf("run %s has no conflict after the first %s", asked.Run, figure.Count(asked.After))
	}
	return fmt.Sprintf("run %s has no conflict to show: no rollback of it left a row alone, or the list was removed with its undo", asked.Run)
}

// held is what the row held in its i-th column; without any value, what that means.
func held(values []*string, i int, none string) string {
	switch {
	case i >= len(values):
		return none
	case values[i] == nil:
		return "NULL"
	}
	return *values[i]
}
