package scene

import (
	"fmt"
	"io"
	"math"
	"strings"

	"backfill/internal/figure"
)

// Markdown writes the figures for people.
func (r Record) Markdown(w io.Writer) {
	limit := "no limit of an operator"
	if r.Limit > 0 {
		limit = fmt.Sprintf("an operator's limit of %s rows/s", figure.Count(r.Limit))
	}
	fmt.Fprintf(w, "# A run of backfill %s on a database that is disturbed\n\n%s\n%s, %s rows, %d workers, %s.\n\n",
		r.Version, r.Machine.Text(), r.Server, figure.Count(r.Rows), r.Workers, limit)
	fmt.Fprintf(w, "Users alone: updates p50 %.1f, p99 %.1f ms; reads %.1f, %.1f. Beside the run, outside of disturbances: updates %.1f, %.1f (%s); reads %.1f, %.1f (%s).\n\n",
		r.Idle.Updates.P50, r.Idle.Updates.P99, r.Idle.Reads.P50, r.Idle.Reads.P99,
		r.Outside.Updates.P50, r.Outside.Updates.P99, times(r.Outside.Updates.P99, r.Idle.Updates.P99),
		r.Outside.Reads.P50, r.Outside.Reads.P99, times(r.Outside.Reads.P99, r.Idle.Reads.P99))
	rows := [][]string{{"disturbance", "rows/s before", "rate lowered after, beats", "below 90 % after, beats (should be 2)", "lowest rows/s", "back to 90 % after, s (30)",
		"updates' p99 before and after, ms, x idle (3)", "reads' p99", "p99 within it: updates, reads"}}
	for i, m := range r.Marks {
		f := r.Figures(i)
		rows = append(rows, []string{m.Name, figure.Count(int64(f.Before)), beats(f.Decided), beats(f.Fell), figure.Count(int64(f.Lowest)), seconds(f.Back),
			fmt.Sprintf("%.1f, %s", m.Beside.Updates.P99, times(m.Beside.Updates.P99, r.Idle.Updates.P99)),
			fmt.Sprintf("%.1f, %s", m.Beside.Reads.P99, times(m.Beside.Reads.P99, r.Idle.Reads.P99)),
			fmt.Sprintf("%.0f, %.0f", m.During.Updates.P99, m.During.Reads.P99)})
	}
	for i, cells := range rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(cells)))
		}
	}
	fmt.Fprintln(w)
	for _, d := range r.Decisions {
		fmt.Fprintf(w, "- %5.1f s: %s\n", d.At, d.Reason)
	}
}

func times(one, other float64) string {
	if other == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fx", one/other)
}

// beats that have begun by then.
func beats(seconds float64) string {
	if math.IsNaN(seconds) {
		return "never"
	}
	return fmt.Sprintf("%.0f (%.1f s)", math.Ceil(seconds/beat), seconds)
}

func seconds(value float64) string {
	if math.IsNaN(value) {
		return "never"
	}
	return fmt.Sprintf("%.0f", value)
}
