package operator

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"backfill/internal/figure"

	"github.com/spf13/cobra"
)

// passedOver is the part of the answer that people read.
type passedOver struct {
	Rejects []struct {
		Chunk    int64     `json:"chunk"`
		Key      []string  `json:"key"`
		SQLState string    `json:"sqlstate"`
		Message  string    `json:"message"`
		FoundAt  time.Time `json:"found_at"`
	} `json:"rejects"`
	Next int64 `json:"next"` // 0: none follows
}

func rejectsCommand(s *session) *cobra.Command {
	asked := page{Action: "rejects", Limit: 100}
	command := &cobra.Command{
		Use:   "rejects RUN",
		Short: "List the rows that a run passed over, with their errors",
		Long: `Lists the rows that do not allow the change, and that the run passed over within its error budget, in the order of their
keys: SQLSTATE, when it was, and what Postgres said, cut to 1000 characters. The message may quote values of the row; it is read
from the database for you, and stored nowhere else.`,
		Example: `  backfill rejects email-1
  backfill rejects email-1 --limit 1000 --after 1000 -o json | jq -c '.rejects[].key, .next'`,
		Args: oneRun(),
	}
	command.Flags().Int64Var(&asked.Limit, "limit", asked.Limit, "how many at most, 1 to 1000")
	command.Flags().Int64Var(&asked.After, "after", 0, "how many to leave out: those that were listed before")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		asked.Run = args[0]
		if err := within(command, asked.Limit, asked.After); err != nil {
			return err
		}
		var found passedOver
		answer, err := s.fetch(ctx, asked.Run, "rejects", asked, &found)
		if err != nil {
			return err
		}
		return s.print(answer, func(w io.Writer) { s.rejects(w, asked, found) })
	})
	return command
}

// rejects shows a line for each row, and the way to those that follow.
func (s *session) rejects(w io.Writer, asked page, found passedOver) {
	if len(found.Rejects) == 0 {
		fmt.Fprintln(w, noRejects(asked))
		return
	}
	t := table{}
	t.head("CHUNK", "KEY", "SQLSTATE", "TIME", "MESSAGE")
	for _, r := range found.Rejects {
		t.row(strconv.FormatInt(r.Chunk, 10), strings.Join(r.Key, ", "), r.SQLState, r.FoundAt.UTC().Format(time.RFC3339), r.Message)
	}
	if columns, terminal := s.Width(w); terminal {
		t.fit(columns)
	}
	t.write(w, func(_ int, cell string) string { return cell })
	s.following(w, asked, found.Next)
}

func noRejects(asked page) string {
	if asked.After > 0 {
		return fmt.Sprintf("run %s has no rejected row after the first %s", asked.Run, figure.Count(asked.After))
	}
	return fmt.Sprintf("run %s has no rejected row to show: it passed over none, they were applied by a retry, or the list was removed with its undo", asked.Run)
}
