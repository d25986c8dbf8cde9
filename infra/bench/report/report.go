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

// Line is one leg: figures by name.
type Line struct {
	Leg     string            `json:"leg"`
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
	columns := slices.Concat(name.tables()...)
	s := Summary{Section: name}
	for _, leg := range legs(figures) {
		line := Line{Leg: leg, Figures: map[string]Spread{}}
		for _, column := range columns {
			base := column.base
			if base == "" {
				base = leg
			}
			if found := compared(figures, leg, base, column.compare); found.Rounds > 0 {
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
