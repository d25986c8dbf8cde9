package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"backfill/internal/figure"
)

// A chart is drawn in 400 by 190 units: as wide as a phone, so that its letters are of use there.
const (
	chartWidth, chartHeight = 400., 190.
	left, right, top, foot  = 52., 8., 10., 26.
	xTicks, yTicks          = 3, 4
)

// Chart is a picture over time.
type Chart struct {
	ID    string
	Title string
	Text  string // what it shows, in words
	Lines []Line
	Bands []Band // in which the run did not move
	X, Y  []Tick
}

// Line of a chart.
type Line struct{ Class, Path string }

// Band is a stretch of time.
type Band struct{ X, Width float64 }

// Tick is a place on an axis, and what it is called.
type Tick struct {
	At   float64
	Name string
}

// axes turn times and numbers into places.
type axes struct {
	from, to time.Time
	most     float64
}

func (a axes) x(at time.Time) float64 {
	whole := math.Max(a.to.Sub(a.from).Seconds(), 1)
	return place(left + (chartWidth-left-right)*math.Min(math.Max(at.Sub(a.from).Seconds()/whole, 0), 1))
}

func (a axes) y(value float64) float64 {
	return place(chartHeight - foot - (chartHeight-top-foot)*math.Min(value/a.most, 1))
}

func place(at float64) float64 { return math.Round(at*10) / 10 }

// Charts are the pictures over time; none where too little was noted.
func (r Report) Charts() []Chart {
	if len(r.Points) < 2 {
		return nil
	}
	return []Chart{r.progress(), r.rates()}
}

func (r Report) progress() Chart {
	var most int64
	for _, p := range r.Points {
		most = max(most, p.Handled)
	}
	a := r.axes(float64(most))
	var path pen
	path.to(a.x(r.StartedAt), a.y(0))
	for _, p := range r.Points {
		path.to(a.x(p.At), a.y(float64(p.Handled)))
	}
	c := Chart{ID: "progress", Title: "Rows handled", Lines: []Line{{"line", path.String()}}, Bands: r.bands(a),
		Text: fmt.Sprintf("From %s to %s UTC it came from 0 to %s rows.", moment(a.from), moment(a.to), figure.Count(most))}
	c.X, c.Y = a.ticks()
	return c
}

func (r Report) rates() Chart {
	var fastest float64
	stretches := r.stretches()
	for _, each := range stretches {
		fastest = math.Max(fastest, each.speed())
	}
	most := fastest
	for _, p := range r.Points {
		if p.Allowed != nil && *p.Allowed < 3*fastest { // a limit that is far above would leave the speed no room
			most = math.Max(most, *p.Allowed)
		}
	}
	a := r.axes(most)
	var speeds, allowed pen
	for i, each := range stretches {
		if i > 0 && !stretches[i-1].to.Equal(each.from) {
			speeds.lift()
		}
		speeds.to(a.x(each.from), a.y(each.speed()))
		speeds.to(a.x(each.to), a.y(each.speed()))
	}
	for _, p := range r.Points {
		if p.Allowed == nil {
			allowed.lift()
			continue
		}
		allowed.to(a.x(p.At), a.y(*p.Allowed))
	}
	c := Chart{ID: "rate", Title: "Rows per second", Bands: r.bands(a), Lines: []Line{{"line", speeds.String()}, {"limit", allowed.String()}},
		Text: fmt.Sprintf("%s while it moved, at most %s rows/s; dashed is the rate that the database's signals allowed.", r.Speed(), figure.Count(int64(fastest)))}
	c.X, c.Y = a.ticks()
	return c
}

func (r Report) axes(most float64) axes {
	to := r.until()
	if last := r.Points[len(r.Points)-1].At; last.After(to) {
		to = last
	}
	return axes{from: r.StartedAt, to: to, most: round125(most)}
}

// round125 is the next 1, 2 or 5 of a power of ten.
func round125(most float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(math.Max(most, 1))))
	for _, step := range []float64{1, 2, 5, 10} {
		if most <= step*unit {
			return step * unit
		}
	}
	return most
}

// ticks name the axes. Where the day changes, it is told.
func (a axes) ticks() (x, y []Tick) {
	layout := "15:04:05"
	if a.to.Sub(a.from) > 12*time.Hour {
		layout = "Jan 2 15:04"
	}
	for i := range xTicks {
		at := a.from.Add(time.Duration(float64(i) / (xTicks - 1) * float64(a.to.Sub(a.from))))
		x = append(x, Tick{a.x(at), at.UTC().Format(layout)})
	}
	for i := range yTicks + 1 {
		value := a.most * float64(i) / yTicks
		y = append(y, Tick{a.y(value), short(value)})
	}
	return x, y
}

// short writes a number for an axis.
func short(value float64) string {
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e9, " B"}, {1e6, " M"}, {1e3, " k"}} {
		if value >= unit.of {
			return strings.TrimSuffix(fmt.Sprintf("%.2f", value/unit.of), ".00") + unit.name
		}
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0")
}

// bands are the stretches in which the run did not move.
func (r Report) bands(a axes) (bands []Band) {
	for i, p := range r.Points[:len(r.Points)-1] {
		from, to := a.x(p.At), a.x(r.Points[i+1].At)
		if p.State.Moves() || to <= from {
			continue
		}
		if last := len(bands) - 1; last >= 0 && place(bands[last].X+bands[last].Width) == from {
			bands[last].Width = place(to - bands[last].X)
			continue
		}
		bands = append(bands, Band{from, place(to - from)})
	}
	return bands
}

// pen writes the path of a line.
type pen struct {
	text strings.Builder
	down bool
	x, y float64
}

func (p *pen) to(x, y float64) {
	if p.down && p.x == x && p.y == y {
		return
	}
	how := "L"
	if !p.down {
		how = "M"
	}
	p.x, p.y = x, y
	fmt.Fprintf(&p.text, "%s%g %g", how, x, y)
	p.down = true
}

func (p *pen) lift() { p.down = false }

func (p *pen) String() string { return p.text.String() }
