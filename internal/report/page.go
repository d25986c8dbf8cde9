package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"backfill/internal/figure"
	"backfill/internal/run"
)

//go:embed page.html
var source string

// HTML writes the page. It is no method, and reads the template only when asked: the functions in Lambda are linked without templates.
func HTML(w io.Writer, r Report) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"count": figure.Count, "plural": figure.Plural, "moment": moment, "span": span, "dollars": dollars, "bytes": func(n int64) string { return figure.Bytes(float64(n)) },
	}).Parse(source)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	return page.Execute(w, r)
}

// moment writes a time, "" where there is none.
func moment(at any) string {
	switch t := at.(type) {
	case time.Time:
		return t.UTC().Format("2006-01-02 15:04:05")
	case *time.Time:
		if t != nil {
			return t.UTC().Format("2006-01-02 15:04:05")
		}
	}
	return ""
}

// span writes seconds as people say them: 120 ms, 12.3 s, 4 min 5 s, 27.8 h.
func span(seconds float64) string {
	switch {
	case seconds > 0 && seconds < 0.9995:
		return fmt.Sprintf("%.0f ms", 1000*seconds)
	case seconds < 59.95:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("%d min %d s", int(seconds)/60, int(seconds)%60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

// dollars has four digits where it is less than one.
func dollars(amount float64) string {
	if amount < 1 {
		return fmt.Sprintf("$%.4f", amount)
	}
	return fmt.Sprintf("$%.2f", amount)
}

// Handled counts rows, forward and back.
func (r Report) Handled() int64 { return r.Rows.Handled() - r.Rows.Verified }

// Speed is how fast rows were handled while the run moved.
func (r Report) Speed() string {
	if r.Times.Moving < 0.1 {
		return "not known"
	}
	return figure.Count(int64(float64(r.Rows.Handled())/r.Times.Moving)) + " rows/s"
}

// Row is a line of the table over time.
type Row struct {
	Point
	Speed *int64 // rows/s since the point before; nil: it did not move
}

// Course is how it went, as figures.
func (r Report) Course() []Row {
	rows := make([]Row, len(r.Points))
	for i, p := range r.Points {
		rows[i].Point = p
		if i > 0 {
			rows[i].Speed = speed(r.Points[i-1], p)
		}
	}
	return rows
}

// Limit is the rate that was allowed; "": any.
func (r Row) Limit() string {
	if r.Allowed == nil {
		return ""
	}
	return figure.Count(int64(*r.Allowed))
}

// speed between two points; nil where the run stood, or the clock.
func speed(before, p Point) *int64 {
	since := p.At.Sub(before.At).Seconds()
	if !before.State.Moves() || since <= 0 {
		return nil
	}
	n := int64(float64(max(p.Handled-before.Handled, 0)+max(p.Looked-before.Looked, 0)) / since)
	return &n
}

// Amount writes a figure of Foretold in its unit.
func (f Foretold) amount(n int64) string {
	if f.Unit == "s" {
		return span(float64(n))
	}
	return figure.Count(n) + " " + f.Unit
}

// Told is the estimate with its bounds.
func (f Foretold) Told() string {
	if f.From == nil || f.To == nil {
		return f.amount(f.Value)
	}
	return fmt.Sprintf("%s (%s to %s)", f.amount(f.Value), f.amount(*f.From), f.amount(*f.To))
}

// Was is what came, and how far that is from the estimate.
func (f Foretold) Was() string {
	switch {
	case f.Came == nil:
		return "not known"
	case f.From != nil && f.To != nil && (*f.Came < *f.From || *f.Came > *f.To):
		return f.amount(*f.Came) + ", outside of the bounds"
	case f.From != nil && f.To != nil:
		return f.amount(*f.Came) + ", within the bounds"
	case f.Value == 0:
		return f.amount(*f.Came)
	}
	return fmt.Sprintf("%s, %+.0f %%", f.amount(*f.Came), 100*float64(*f.Came-f.Value)/float64(f.Value))
}

// Ended tells whether the run is over.
func (r Report) Ended() bool { return r.State.Ended() }

// Well tells whether it ended as it should.
func (r Report) Well() bool { return r.State == run.Completed || r.State == run.RolledBack }
