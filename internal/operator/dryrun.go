package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"backfill/internal/change"
	"backfill/internal/figure"
	"backfill/internal/prospect"

	"github.com/spf13/cobra"
)

// sampled is the number of rows that a dry run shows before and after.
const sampled = 8

// trial is the input of dry_run.
type trial struct {
	question
	Sample int `json:"sample,omitempty"`
}

// dry are the flags of a dry run.
type dry struct {
	run    bool
	sample int
}

func (d *dry) flags(at *cobra.Command) {
	at.Flags().BoolVar(&d.run, "dry-run", false, "show what the run would do; nothing is written, no run begins")
	at.Flags().IntVar(&d.sample, "sample", sampled, "`N` rows before and after that --dry-run shows; with 0 and a NAME the right to look will do")
}

// check refuses flags that mean nothing together.
func (d *dry) check(at *cobra.Command) error {
	switch {
	case d.run && (at.Flags().Changed("wait") || at.Flags().Changed("run")):
		return misused(at, errors.New("--dry-run begins no run: leave out --run and --wait"))
	case !d.run && at.Flags().Changed("sample"):
		return misused(at, errors.New("--sample belongs to --dry-run"))
	}
	return nil
}

// dryRun asks what a run would do. It asks control, and starts no execution: what Step Functions knows it keeps, and the sample has values of rows.
func (s *session) dryRun(ctx context.Context, subject subject, d dry) error {
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	question := trial{question: asked(subject), Sample: d.sample}
	question.Action = "dry_run"
	ask := stack.Control.Act
	if d.sample == 0 && subject.file == "" {
		ask = stack.Control.Look
	}
	answer, err := ask(ctx, question)
	var fault *Fault
	if errors.As(err, &fault) {
		subject.locate(fault)
	}
	if err != nil {
		return err
	}
	var found prospect.Prospect
	if err := json.Unmarshal(answer, &found); err != nil {
		return fmt.Errorf("read the answer about %s: %w", subject.name, err)
	}
	if err := s.print(answer, func(w io.Writer) { s.prospect(w, found, subject) }); err != nil {
		return err
	}
	if n := len(found.InTheWay); n > 0 {
		return &Fault{Exit: exitFailed, Message: figure.Plural(int64(n), "thing stands", "things stand") + " in the way of a run", answered: true}
	}
	return nil
}

// prospect shows what a run would do.
func (s *session) prospect(w io.Writer, found prospect.Prospect, subject subject) {
	fmt.Fprintf(w, "dry run of %s on %s: nothing was written\n", found.Backfill, printable(found.Change.Table.String()))
	does(w, found.Change)
	section(w, "obstacle", found.InTheWay)
	section(w, "rows", extent(found))
	section(w, "passes", []string{found.Passes})
	if found.Estimate != nil {
		section(w, "estimate", estimates(*found.Estimate))
	}
	section(w, "locks", found.Locks)
	section(w, "notes", found.Notes)
	section(w, "not known", found.Unknown)
	plan(w, found.Plan)
	fmt.Fprintf(w, "statements of a batch, of which Postgres has read %d; -o json has all\n", found.Prepared)
	for _, statement := range found.Statements {
		if strings.Contains(statement.Purpose, "the change") {
			fmt.Fprintf(w, "  -- %s\n", statement.Purpose)
			indented(w, strings.Split(statement.SQL+";", "\n"))
		}
	}
	s.beforeAndAfter(w, found)
	if len(found.InTheWay) == 0 {
		offer(w, step{s.suggest(startOf(subject)...), "start it"})
	}
}

// plan shows how Postgres would find and change the rows of a batch.
func plan(w io.Writer, found prospect.Plan) {
	of := ""
	if found.Of != "" {
		of = ", " + found.Of
	}
	fmt.Fprintf(w, "plan of a batch%s: %s\n", printable(of), printable(found.Verdict))
	indented(w, found.Lines)
}

func indented(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(w, "  %s\n", printable(line))
	}
}

// extent tells how much there is to do, and how that is known.
func extent(found prospect.Prospect) []string {
	e, done := found.Extent, found.Change.Kind.Deed()
	if done == change.Set.Deed() {
		done = "written"
	}
	lines := []string{fmt.Sprintf("about %s in %s, by the catalog", figure.Plural(rough(e.Rows), "row", "rows"), figure.Plural(e.Chunks, "chunk", "chunks"))}
	if e.Counted {
		lines[0] = fmt.Sprintf("%s in %s, counted along the key", figure.Plural(e.Rows, "row", "rows"), figure.Plural(e.Chunks, "chunk", "chunks"))
	}
	switch {
	case e.InScope == nil || e.ToWrite == nil:
		lines = append(lines, "in scope: not known")
	case e.Looked.All:
		lines = append(lines, fmt.Sprintf("%s in scope, %s to be %s; every row was looked at", figure.Count(e.InScope.Value), figure.Count(e.ToWrite.Value), done))
	default:
		lines = append(lines, fmt.Sprintf("about %s in scope (%s), %s to be %s (%s)", figure.Count(rough(e.InScope.Value)), counts(*e.InScope),
			figure.Count(rough(e.ToWrite.Value)), done, counts(*e.ToWrite)),
			fmt.Sprintf("reckoned from %s in %s of the key space", figure.Plural(e.Looked.Rows, "row", "rows"),
				figure.Plural(e.Looked.Stretches, "stretch", "stretches")))
	}
	if e.Skips != "" {
		lines = append(lines, e.Skips)
	}
	return lines
}

func counts(f prospect.Figure) string {
	return figure.Count(rough(f.From)) + " to " + figure.Count(rough(f.To))
}

// rough leaves three digits of an estimate: more would be made up.
func rough(n int64) int64 {
	unit := int64(1)
	for n/unit >= 1000 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

// estimates tells what a run would take, and on what assumption.
func estimates(e prospect.Estimate) []string {
	volume := func(f prospect.Figure) string {
		if f.To == 0 {
			return "none"
		}
		return figure.Bytes(float64(f.From)) + " to " + figure.Bytes(float64(f.To))
	}
	lines := []string{
		fmt.Sprintf("time %s to %s; WAL %s", seconds(e.Seconds.From), seconds(e.Seconds.To), volume(e.WALBytes)),
		fmt.Sprintf("growth of table and indexes %s; undo %s", volume(e.GrowthBytes), volume(e.UndoBytes)),
		"nothing was measured for this; assumed:",
	}
	for _, assumed := range e.Assumed {
		lines = append(lines, "  "+assumed)
	}
	return lines
}
