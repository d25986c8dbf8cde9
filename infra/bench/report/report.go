package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Report is a whole benchmark. Its figures are all that was measured; the rest is made from them.
type Report struct {
	Version string    `json:"version"` // of the product
	Machine Machine   `json:"machine"`
	Servers []Server  `json:"servers"`
	Workers []int     `json:"workers"` // of the contenders that are the worker's code
	Begun   time.Time `json:"begun"`
	Seconds float64   `json:"seconds"`
	Rounds  int       `json:"rounds"`
	Wanted  int       `json:"rounds_wanted"` // more than Rounds: the time was up
	Figures []Figure  `json:"figures"`
}

// Summary is what a section comes to.
type Summary struct {
	Section
	Legs      []Line     `json:"legs"`
	Relations []Relation `json:"relations,omitempty"`
}

// Server is one that was measured on, with its settings.
type Server struct {
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings"`
}

// Line is one leg, by so many workers: figures by name.
type Line struct {
	Leg     string            `json:"leg"`
	Workers int               `json:"workers,omitempty"`
	Figures map[string]Spread `json:"figures"`
}

// Summaries of all sections.
func (r Report) Summaries() []Summary {
	names, of := sections(r.Figures)
	var all []Summary
	for _, name := range names {
		all = append(all, summarize(name, of[name]))
	}
	return all
}

func summarize(name Section, figures []Figure) Summary {
	columns, pools := slices.Concat(name.tables()...), pooled(figures)
	s := Summary{Section: name}
	for _, of := range works(figures) {
		line := Line{Leg: of.leg, Workers: of.workers, Figures: map[string]Spread{}}
		for _, column := range columns {
			source, base := figures, column.base
			if column.pooled {
				source = pools
			}
			if base == "" {
				base = of.leg
			}
			if found := compared(source, of, base, column.compare); found.Rounds > 0 {
				line.Figures[column.name] = found
			}
		}
		s.Legs = append(s.Legs, line)
	}
	if !name.Beside {
		s.Relations = related(figures)
	}
	return s
}

// JSON writes figures and summaries.
func (r Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(struct {
		Report
		Summaries []Summary `json:"summaries"`
	}{r, r.Summaries()})
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
