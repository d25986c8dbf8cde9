package operator

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	gap       = 2  // columns between two cells
	worthless = 12 // a last cell that is cut shorter than this tells nothing
)

// table is lines of cells. The first columns are the ones that people copy: they are never cut.
type table struct{ rows [][]string }

func (t *table) head(cells ...string) { t.row(cells...) }

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	t.rows = append(t.rows, cells)
}

// fit makes the table as wide as a terminal: columns go from the right, and the last that stays is cut.
func (t *table) fit(columns int) {
	widths := t.widths()
	used := 0
	for i, width := range widths {
		left := columns - used
		if width <= left || i == 0 {
			used += width + gap
			continue
		}
		keep := i
		if left >= worthless {
			keep, widths[i] = i+1, left
		}
		t.cut(keep, widths)
		return
	}
}

// share gives the columns from one on the same part of what the columns before them leave of a terminal, so that a long
// value takes nothing from its neighbours.
func (t *table) share(from, columns int) {
	widths := t.widths()
	for _, width := range widths[:from] {
		columns -= width + gap
	}
	each := max(columns/max(len(widths)-from, 1)-gap, worthless)
	for _, cells := range t.rows {
		for i := from; i < len(cells); i++ {
			cells[i] = fit(cells[i], each)
		}
	}
}

func (t *table) cut(keep int, widths []int) {
	for i, cells := range t.rows {
		cells = cells[:keep]
		cells[keep-1] = fit(cells[keep-1], widths[keep-1])
		t.rows[i] = cells
	}
}

func (t *table) widths() []int {
	widths := make([]int, len(t.rows[0]))
	for _, cells := range t.rows {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// write prints the table; paint may put colours around a cell, of which the width is known by then.
func (t *table) write(w io.Writer, paint func(column int, cell string) string) {
	widths := t.widths()
	for i, cells := range t.rows {
		var out strings.Builder
		for column, cell := range cells {
			padding := strings.Repeat(" ", widths[column]-utf8.RuneCountInString(cell)+gap)
			if i > 0 && cell != "" {
				cell = paint(column, cell)
			}
			out.WriteString(cell + padding)
		}
		fmt.Fprintln(w, strings.TrimRight(out.String(), " "))
	}
}
