package report

import (
	"fmt"
	"math"
	"strings"

	"backfill/internal/figure"
)

const (
	cellsInRow = 24
	cellSize   = 16
	// grades of a colour: 1 is little, 5 is most; 0: nothing was done there.
	grades = 5
)

// Map is a picture of the key space, from the first chunk on, row by row.
type Map struct {
	ID            string
	Title         string
	Text          string // what it shows, in words
	Legend        []Grade
	Width, Height int
	Squares       []Square
}

// Grade is what a colour means.
type Grade struct {
	Grade int
	Name  string
}

// Square is a cell.
type Square struct {
	X, Y, Grade int
	Cross       bool // something is wrong there: not told by colour alone
	Text        string
}

// Maps are the same cells, thrice.
func (r Report) Maps() []Map {
	if len(r.Cells) == 0 {
		return nil
	}
	return []Map{
		r.heat("duration", "Time at a chunk", "Workers' time at a chunk, of the longest in each square.", span, func(c Cell) float64 { return c.Longest }),
		r.heat("attempts", "Further attempts", "How often a chunk was claimed again, since its worker had died or met an error; of the most in each square.", whole, func(c Cell) float64 { return float64(c.Most - 1) }),
		r.heat("failed", "Failed chunks", "Chunks of each square that have failed.", whole, func(c Cell) float64 { return float64(c.Failed) }),
	}
}

func whole(n float64) string { return figure.Count(int64(n)) }

func (r Report) heat(id, title, text string, write func(float64) string, of func(Cell) float64) Map {
	m := Map{ID: id, Title: title, Width: cellsInRow * cellSize, Height: (len(r.Cells) + cellsInRow - 1) / cellsInRow * cellSize}
	var most float64
	var hottest Cell
	for _, c := range r.Cells {
		if of(c) > most {
			most, hottest = of(c), c
		}
	}
	for i, c := range r.Cells {
		m.Squares = append(m.Squares, Square{X: i % cellsInRow * cellSize, Y: i / cellsInRow * cellSize, Grade: grade(of(c), most), Cross: c.Failed > 0, Text: c.Text()})
	}
	m.Text = text + " " + squares(r.Cells)
	switch {
	case most == 0 && id == "failed":
		m.Text += " None has failed."
	case most == 0 && id == "attempts":
		m.Text += " None was tried again."
	case most == 0:
		m.Text += " Nothing is known yet."
	default:
		m.Text += fmt.Sprintf(" The most is %s, at %s.", write(most), hottest.Name())
		m.Legend = legend(most, write)
	}
	return m
}

func squares(cells []Cell) string {
	if each := cells[0].Chunks(); each > 1 {
		return fmt.Sprintf("Each square has %s, by number.", figure.Plural(each, "chunk", "chunks"))
	}
	return "Each square is a chunk, by number."
}

// grade of a value: the square root has small differences seen beside one that is far above the rest.
func grade(value, most float64) int {
	if value <= 0 || most <= 0 {
		return 0
	}
	return int(math.Min(math.Max(math.Ceil(math.Sqrt(value/most)*grades), 1), grades))
}

func legend(most float64, write func(float64) string) []Grade {
	list := []Grade{{0, "nothing"}}
	for g := 1; g <= grades; g++ {
		upTo := most * float64(g*g) / (grades * grades)
		if name := "up to " + write(upTo); g == grades || list[len(list)-1].Name != name && upTo > 0 && write(upTo) != write(0) {
			list = append(list, Grade{g, name})
		}
	}
	return list
}

// Name says which chunks they are.
func (c Cell) Name() string {
	if c.First == c.Last {
		return fmt.Sprintf("chunk %d", c.First)
	}
	return fmt.Sprintf("chunks %d to %d", c.First, c.Last)
}

// Text is all that is known of the cell.
func (c Cell) Text() string {
	parts := []string{c.Name()}
	if c.Keys != "" {
		parts[0] += " " + c.Keys
	}
	parts = append(parts, fmt.Sprintf("%d done", c.Done))
	if c.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", c.Failed))
	}
	parts = append(parts, figure.Plural(c.Attempts, "attempt", "attempts"), span(c.Seconds))
	if c.Rejected > 0 {
		parts = append(parts, figure.Plural(c.Rejected, "row rejected", "rows rejected"))
	}
	return strings.Join(parts, ", ")
}

// Notable are the cells that a person asks after: failed, tried again, with rejects or conflicts, or the slowest; twenty at most.
func (r Report) Notable() (list []Cell) {
	var most float64
	for _, c := range r.Cells {
		most = math.Max(most, c.Longest)
	}
	for _, c := range r.Cells {
		if len(list) < 20 && (c.Failed > 0 || c.Most > 1 || c.Rejected > 0 || c.Conflicts > 0 || most > 0 && c.Longest == most) {
			list = append(list, c)
		}
	}
	return list
}
