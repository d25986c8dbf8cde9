package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"backfill/infra/bench/ground"
)

// Markdown writes the summaries for people.
func (r Report) Markdown(w io.Writer) {
	fmt.Fprintf(w, "# Benchmark of backfill %s\n\n%s\n\n", r.Version, r.Machine.Text())
	for _, server := range r.Servers {
		fmt.Fprintf(w, "- %s: %s\n", server.Name, server.text())
	}
	if len(r.Workers) > 0 {
		fmt.Fprintf(w, "- workers that are called directly: %s\n", strings.ReplaceAll(strings.Trim(fmt.Sprint(r.Workers), "[]"), " ", ", "))
	}
	fmt.Fprintf(w, "\nRounds: %d, in %s", r.Rounds, time.Duration(r.Seconds*float64(time.Second)).Round(time.Second))
	if r.Rounds < r.Wanted {
		fmt.Fprintf(w, " (%d were wanted)", r.Wanted)
	}
	fmt.Fprint(w, legend)
	for _, s := range r.Summaries() {
		s.markdown(w)
	}
}

const legend = `. In each, the contenders work in random order, each on a table made anew.
Figures are medians over the rounds. Columns with an x are ratios within a round, with the lowest and the highest: of speed,
where more than 1 is faster than one UPDATE; of costs, where less than 1 is cheaper. CPU is that of the whole server.
In brackets in a column's head is what the figure should be. A batch's time is its whole round trip: no row is locked for longer.
`

// text has the settings in the order of their names.
func (s Server) text() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		all = append(all, name+" "+s.Settings[name])
	}
	return strings.Join(all, ", ")
}

func (s Summary) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n## %s, %s rows, %s\n\n", s.Server, grouped(s.Rows), s.title())
	for i, columns := range s.tables() {
		table := s.table(s.known(columns))
		if i > 0 && len(table) > 1 {
			fmt.Fprintln(w)
		}
		if len(table) > 1 {
			write(w, table)
		}
	}
	if len(s.Relations) > 0 {
		fmt.Fprintln(w)
	}
	for _, r := range s.Relations {
		fmt.Fprintf(w, "- %s: %s\n", r.Name, ranged(r.Ratio))
	}
}

// known are the columns that any leg has a figure for.
func (s Summary) known(columns []measure) (found []measure) {
	for _, column := range columns {
		if slices.ContainsFunc(s.Legs, func(l Line) bool { _, known := l.Figures[column.name]; return known }) {
			found = append(found, column)
		}
	}
	return found
}

// table has the legs of which any of the columns is known.
func (s Summary) table(columns []measure) [][]string {
	table := [][]string{{""}}
	for _, column := range columns {
		table[0] = append(table[0], column.head)
	}
	for _, line := range s.Legs {
		cells, known := []string{line.Leg}, false
		for _, column := range columns {
			cells = append(cells, cell(column, line.Figures))
			known = known || cells[len(cells)-1] != ""
		}
		if known {
			table = append(table, cells)
		}
	}
	return table
}

func (s Summary) title() string {
	title := s.Task
	for _, task := range ground.Tasks {
		if task.Name == s.Task {
			title = task.Why
		}
	}
	if s.Planning {
		return "where chunks end"
	}
	if s.Beside {
		title += ", beside users (200 reads/s and 50 updates/s; latencies over the requests of all rounds)"
	}
	return title
}

// cell is empty where a figure is not known, and where a leg is compared with itself.
func cell(column measure, figures map[string]Spread) string {
	found, known := figures[column.name]
	if !known {
		return ""
	}
	return column.text(found)
}

// write prints a table that is aligned for the terminal, too.
func write(w io.Writer, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, cells := range table {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	for i, cells := range table {
		fmt.Fprintln(w, line(cells, widths))
		if i == 0 {
			rule := make([]string, len(widths))
			for j, width := range widths {
				rule[j] = strings.Repeat("-", width-min(j, 1)) + strings.Repeat(":", min(j, 1)) // figures to the right
			}
			fmt.Fprintln(w, line(rule, widths))
		}
	}
}

func line(cells []string, widths []int) string {
	out := "|"
	for i, cell := range cells {
		padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i == 0 {
			out += " " + cell + padding + " |"
			continue
		}
		out += " " + padding + cell + " |"
	}
	return out
}
