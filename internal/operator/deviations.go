package operator

import (
	"context"
	"fmt"
	"io"
	"strings"

	"backfill/internal/figure"

	"github.com/spf13/cobra"
)

// deviating is the part of the answer that people read.
type deviating struct {
	Run       string `json:"run"`
	Looked    int64  `json:"looked"`
	Deviating int64  `json:"deviating"`
	Mended    int64  `json:"mended"`
	Unfit     string `json:"unfit"`
	Keys      string `json:"keys"`
	Left      string `json:"left"`
	Chunks    []struct {
		Chunk     int64  `json:"chunk"`
		Keys      string `json:"keys"`
		Deviating int64  `json:"deviating"`
		Mended    int64  `json:"mended"`
		Rejected  int64  `json:"rejected"`
		Crowded   bool   `json:"crowded"`
		SQL       string `json:"sql"`
	} `json:"chunks"`
	Next int64 `json:"next"` // 0: none follows
}

func deviationsCommand(s *session) *cobra.Command {
	asked := page{Action: "deviations", Limit: 100}
	command := &cobra.Command{
		Use:   "deviations RUN",
		Short: "Give the SQL that lists the rows which do not hold what they should",
		Long: `Gives, for each chunk in which the last verification left rows that deviate, a script for psql that lists the keys of those that deviate now, the
first 100 of them. You run it with your own login, so no key and no value goes through the stack. It only reads, in a transaction that is rolled back, for 30 s at most,
with the settings under which the run compares. Rows that were written again deviate no more. Everything else that is printed is a comment, so all of it can be given to psql.`,
		Example: `  backfill verify email-1 --no-write --wait || backfill deviations email-1 | psql -q "$DATABASE_URL"
  backfill deviations email-1 -o json | jq -r '.chunks[] | select(.chunk == 7).sql'`,
		Args: oneRun(),
	}
	command.Flags().Int64Var(&asked.Limit, "limit", asked.Limit, "how many chunks at most, 1 to 1000; less where keys are long")
	command.Flags().Int64Var(&asked.After, "after", 0, "the `NUMBER` of the chunk after which the list begins")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		asked.Run = args[0]
		if err := within(command, asked.Limit, asked.After); err != nil {
			return err
		}
		var found deviating
		answer, err := s.fetch(ctx, asked.Run, "deviations", asked, &found)
		if err != nil {
			return err
		}
		return s.print(answer, func(w io.Writer) { s.deviations(w, asked, found) })
	})
	return command
}

// deviations prints scripts, and all else as comments of SQL.
func (s *session) deviations(w io.Writer, asked page, found deviating) {
	switch {
	case found.Unfit != "":
		s.incomparable(w, found)
		return
	case len(found.Chunks) == 0:
		remark(w, s.undeviating(asked, found))
		return
	}
	remark(w, "the keys of rows of run "+found.Run+" that deviate now, at most 100 of a chunk; with your own login")
	for _, c := range found.Chunks {
		text := fmt.Sprintf("chunk %d, %s: %s", c.Chunk, c.Keys, figure.Plural(c.Deviating, "row", "rows")+" deviated at the last look")
		if c.Mended > 0 {
			text += ", " + figure.Count(c.Mended) + " written again"
		}
		fmt.Fprintln(w)
		remark(w, text)
		if c.Rejected > 0 {
			remark(w, figure.Plural(c.Rejected, "row is rejected, and left", "rows are rejected, and left")+" out here: "+s.suggest("rejects", found.Run))
		} else if c.Crowded {
			remark(w, "more than 100 of its rows are rejected; where an expression fails on one, this fails: "+s.suggest("rejects", found.Run))
		}
		script(w, c.SQL)
	}
	if found.Next > 0 {
		fmt.Fprintln(w)
		remark(w, s.suggest("deviations", found.Run, "--limit", fmt.Sprint(asked.Limit), "--after", fmt.Sprint(found.Next))+"    see those that follow")
	}
}

// incomparable says why no row can be compared, and what can be done in place of it.
func (s *session) incomparable(w io.Writer, found deviating) {
	remark(w, "no row of run "+found.Run+" can be compared with what it should hold: "+found.Unfit)
	switch {
	case found.Left != "":
		remark(w, "these are rows in scope that it has left, at most 100 of them, none where all are gone")
		script(w, found.Left)
	case found.Keys != "":
		remark(w, "it went over the rows WHERE "+found.Keys+"; "+s.suggest("chunks", found.Run)+" has the keys of each chunk")
	}
}

// undeviating says why nothing is listed.
func (s *session) undeviating(asked page, found deviating) string {
	if asked.After > 0 {
		return fmt.Sprintf("run %s has no chunk with rows that deviate after chunk %d", found.Run, asked.After)
	}
	if found.Deviating == 0 {
		return fmt.Sprintf("no row of run %s deviated when %s looked at", found.Run, figure.Plural(found.Looked, "chunk was", "chunks were"))
	}
	return fmt.Sprintf("run %s has no row to list: %s deviated, %s written again; chunks that are rolled back are not looked at", found.Run,
		figure.Plural(found.Deviating, "row", "rows"), figure.Plural(found.Mended, "was", "were"))
}

// remark prints a line that psql passes over.
func remark(w io.Writer, text string) { fmt.Fprintln(w, "-- "+printable(text)) }

// script prints SQL as it is, or not at all: names and expressions are those of the definition.
func script(w io.Writer, sql string) {
	lines := strings.Split(strings.TrimSuffix(sql, "\n"), "\n")
	for _, line := range lines {
		if shown := strings.ReplaceAll(line, "\t", ""); printable(shown) != shown {
			remark(w, "the definition has characters that a terminal may take for a command: -o json has the script")
			return
		}
	}
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}
