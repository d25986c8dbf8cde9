package operator

import (
	"context"
	"fmt"
	"io"

	"backfill/internal/figure"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// certified is the part of the answer that people read.
type certified struct {
	Run         string          `json:"run"`
	Certificate run.Certificate `json:"certificate"`
	Chunks      []struct{}      `json:"chunks"`
	Next        int64           `json:"next"`
}

func certificateCommand(s *session) *cobra.Command {
	asked := page{Action: "certificate", Limit: 1000}
	command := &cobra.Command{
		Use:   "certificate RUN",
		Short: "Show what the last verification of a run has found",
		Long: `Shows when the run was verified and by which definition, what the ledger, its rows and the invariant have said, and the SQL
that a migration can rely on. With -o json also what was found in each chunk, and its digest.`,
		Example: `  backfill certificate email-1
  backfill certificate email-1 -o json | jq -r '.certificate.sql[]?'`,
		Args: oneRun(),
	}
	command.Flags().Int64Var(&asked.Limit, "limit", asked.Limit, "how many chunks at most, 1 to 1000; they are shown with -o json")
	command.Flags().Int64Var(&asked.After, "after", 0, "the `NUMBER` of the chunk after which the list begins")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		asked.Run = args[0]
		if err := within(command, asked.Limit, asked.After); err != nil {
			return err
		}
		var found certified
		answer, err := s.fetch(ctx, asked.Run, "certificate", asked, &found)
		if err != nil {
			return err
		}
		return s.print(answer, func(w io.Writer) { s.certificate(w, found) })
	})
	return command
}

func (s *session) certificate(w io.Writer, found certified) {
	c, now := found.Certificate, s.Now()
	var l sheet
	l.put("run", found.Run)
	l.put("verified", moment(&c.At, now))
	l.put("by", c.Backfill+", SHA-256 "+c.Definition)
	l.put("holds", yes(c.Holds))
	tiled := "the finished ranges tile the key space"
	if !c.Tiled {
		tiled = "the finished ranges do NOT tile the key space"
	}
	l.put("ledger", fmt.Sprintf("%s: %s", figure.Plural(c.Chunks, "chunk", "chunks"), tiled))
	if c.RolledBack > 0 {
		l.put("", figure.Plural(c.RolledBack, "chunk is", "chunks are")+" rolled back")
	}
	l.put("rows", valuesOf(c))
	if c.Values != nil && c.Values.Deviating > c.Values.Mended {
		l.put("", s.suggest("deviations", found.Run)+" gives the SQL that lists them")
	}
	if c.Values != nil {
		l.put("digest", c.Values.Digest)
	}
	l.put("left", leftOf(c.Left))
	if c.Invariant != nil {
		l.put("invariant", c.Invariant.Query)
		l.put("", answerOf(*c.Invariant))
	}
	for _, line := range l {
		fmt.Fprintln(w, line)
	}
	for i, line := range c.SQL {
		if i == 0 {
			fmt.Fprint(w, "\n"+caveat(c))
			fmt.Fprintln(w, "-- no NULL was left; each statement is a transaction of its own, and the second scans the table while users go on")
		}
		fmt.Fprintln(w, printable(line)+";")
	}
}

// caveat stands above SQL that is good though the run does not hold: a row with a wrong value is no row with NULL.
func caveat(c run.Certificate) string {
	switch {
	case c.Holds:
		return ""
	case c.Values != nil && c.Values.Deviating > c.Values.Mended:
		return fmt.Sprintf("-- this is about NULLs only: %s deviate from what they should hold, see above\n",
			figure.Plural(c.Values.Deviating-c.Values.Mended, "row", "rows"))
	}
	return "-- this is about NULLs only: the run does not hold, see above\n"
}

func yes(holds bool) string {
	if holds {
		return "yes"
	}
	return "NO"
}

// valuesOf is what the rows have shown, or why they were not looked at.
func valuesOf(c run.Certificate) string {
	v := c.Values
	if v == nil {
		return "not looked at: " + c.Unfit
	}
	text := fmt.Sprintf("%s looked at in %s, %s in scope, %s deviated", figure.Count(v.Rows), figure.Plural(v.Chunks, "chunk", "chunks"), figure.Count(v.InScope), figure.Count(v.Deviating))
	if v.Wrote {
		return text + ", " + figure.Count(v.Mended) + " written again"
	}
	return text + "; none was to be written"
}

func leftOf(left *bool) string {
	switch {
	case left == nil:
		return ""
	case *left:
		return "a row in scope is NOT deleted"
	}
	return "no row in scope"
}

func answerOf(i run.Invariant) string {
	switch {
	case i.Error != "":
		return "no answer: " + i.Error
	case i.Rows != nil:
		return fmt.Sprintf("it gives %g", *i.Rows)
	case i.Holds:
		return "it holds"
	}
	return "it does NOT hold"
}
