package scene

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"

	"backfill/internal/figure"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours can be told apart by those who do not see red and green (Okabe and Ito), on white.
var (
	blue   = color.RGBA{0, 114, 178, 255}
	orange = color.RGBA{213, 94, 0, 255}
	green  = color.RGBA{0, 158, 115, 255}
	grey   = color.RGBA{120, 120, 120, 255}
	shade  = color.RGBA{240, 228, 190, 255}
)

func init() {
	plot.DefaultFont.Variant, plotter.DefaultFont.Variant = "Sans", "Sans" // the library has no other way to say it for all texts
}

// A strip beside the plots has what the lines mean.
const width, height, strip = 28 * vg.Centimeter, 17 * vg.Centimeter, 50 * vg.Millimeter

// panel is one plot with its legend.
type panel struct {
	*plot.Plot
	legend plot.Legend
}

// Picture draws the record as SVG: speed and allowed rate above, what users wait for below, over the same time.
func (r Record) Picture(w io.Writer) error {
	upper, err := r.speed()
	if err != nil {
		return fmt.Errorf("draw the speed: %w", err)
	}
	lower, err := r.latency()
	if err != nil {
		return fmt.Errorf("draw the latency: %w", err)
	}
	canvas := vgsvg.New(width, height)
	whole := draw.New(canvas)
	whole.SetColor(color.White) // legible on a dark page, too
	whole.Fill(whole.Path())
	panels := []*panel{upper, lower}
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadY: 6 * vg.Millimeter, PadTop: 3 * vg.Millimeter, PadBottom: 3 * vg.Millimeter, PadLeft: 3 * vg.Millimeter}
	area := draw.Crop(whole, 0, -strip, 0, 0)
	for i, row := range plot.Align([][]*plot.Plot{{upper.Plot}, {lower.Plot}}, tiles, area) {
		panels[i].Draw(row[0])
		panels[i].legend.Draw(draw.Canvas{Canvas: whole.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: row[0].Max.X + 3*vg.Millimeter, Y: row[0].Min.Y}, Max: vg.Point{X: whole.Max.X, Y: row[0].Max.Y - 8*vg.Millimeter},
		}})
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

// speed has rows done, the rate that was allowed, and where it changed.
func (r Record) speed() (*panel, error) {
	done, rates, top := plotter.XYs{}, []plotter.XYs{nil}, 0.0
	for _, s := range r.Seconds {
		done, top = append(done, plotter.XY{X: s.At, Y: s.Rows}), max(top, s.Rows)
		switch last := len(rates) - 1; {
		case s.Rate != nil:
			rates[last] = append(rates[last], plotter.XY{X: s.At, Y: *s.Rate})
			top = max(top, *s.Rate)
		case len(rates[last]) > 0:
			rates = append(rates, nil)
		}
	}
	p := r.panel("rows/s", 0, top*1.1)
	p.Title.Text = "What a run does, and what its users wait for, while the database is disturbed"
	p.Title.Padding = 5 * vg.Millimeter
	err := errors.Join(r.shade(p), p.names(r.Marks), p.line("rows done", blue, done), p.line("rate allowed", orange, rates...))
	down, up := r.turns()
	return p, errors.Join(err, p.points("slower, by a signal", down, draw.PyramidGlyph{}, orange), p.points("faster again", up, draw.CircleGlyph{}, green))
}

// turns are the decisions, by where they went.
func (r Record) turns() (down, up plotter.XYs) {
	last := r.unlimited()
	for _, d := range r.Decisions {
		switch {
		case d.Rate == nil:
			last = math.Inf(1)
			continue
		case *d.Rate == last: // an operator's limit, from the beginning
			continue
		case *d.Rate < last:
			down = append(down, plotter.XY{X: d.At, Y: *d.Rate})
		default:
			up = append(up, plotter.XY{X: d.At, Y: *d.Rate})
		}
		last = *d.Rate
	}
	return down, up
}

// latency has p99 of each second.
func (r Record) latency() (*panel, error) {
	reads, updates, top := plotter.XYs{}, plotter.XYs{}, 10.0
	for _, s := range r.Seconds {
		if s.Reads.P99 > 0 {
			reads = append(reads, plotter.XY{X: s.At, Y: s.Reads.P99})
		}
		if s.Updates.P99 > 0 {
			updates = append(updates, plotter.XY{X: s.At, Y: s.Updates.P99})
		}
		top = max(top, s.Reads.P99, s.Updates.P99)
	}
	p := r.panel("users' p99 of each second, ms", 0.5, top*1.5)
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(func(from, to float64) []plot.Tick { return named(plot.LogTicks{}.Ticks(from, to)) })
	p.X.Label.Text = "seconds"
	bound := plotter.XYs{{X: 0, Y: 3 * r.Idle.Updates.P99}, {X: p.X.Max, Y: 3 * r.Idle.Updates.P99}}
	return p, errors.Join(r.shade(p), p.line("updates", orange, updates), p.line("reads", blue, reads), p.line("3 x users alone", grey, bound))
}

func (r Record) panel(label string, from, to float64) *panel {
	p := &panel{Plot: plot.New(), legend: plot.NewLegend()}
	p.Y.Label.Text, p.Y.Min, p.Y.Max = label, from, to
	p.X.Min, p.X.Max = 0, r.Seconds[len(r.Seconds)-1].At
	p.Y.Tick.Marker = plot.TickerFunc(func(from, to float64) []plot.Tick { return named(plot.DefaultTicks{}.Ticks(from, to)) })
	p.legend.Top, p.legend.Left, p.legend.Padding = true, true, vg.Millimeter
	p.legend.TextStyle.Font.Size = vg.Points(10)
	return p
}

// named writes the numbers of an axis as people read them.
func named(ticks []plot.Tick) []plot.Tick {
	for i, tick := range ticks {
		if tick.Label != "" {
			ticks[i].Label = figure.Count(int64(math.Round(tick.Value)))
		}
	}
	return ticks
}

// shade marks the disturbances.
func (r Record) shade(p *panel) error {
	for _, m := range r.Marks {
		area, err := plotter.NewPolygon(plotter.XYs{{X: m.From, Y: p.Y.Min}, {X: m.To, Y: p.Y.Min}, {X: m.To, Y: p.Y.Max}, {X: m.From, Y: p.Y.Max}})
		if err != nil {
			return err
		}
		area.Color, area.Width = shade, 0
		p.Add(area)
	}
	return nil
}

// names writes what the disturbances are above them.
func (p *panel) names(marks []Mark) error {
	names := plotter.XYLabels{}
	for _, m := range marks {
		names.XYs, names.Labels = append(names.XYs, plotter.XY{X: (m.From + m.To) / 2, Y: p.Y.Max}), append(names.Labels, m.Name)
	}
	labels, err := plotter.NewLabels(names)
	if err != nil {
		return err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].XAlign = text.XCenter
	}
	labels.Offset.Y = vg.Millimeter
	p.Add(labels)
	return nil
}

// line draws one, in pieces where it is interrupted.
func (p *panel) line(name string, of color.Color, pieces ...plotter.XYs) error {
	for i, piece := range pieces {
		if len(piece) == 0 {
			continue
		}
		l, err := plotter.NewLine(piece)
		if err != nil {
			return err
		}
		l.Color, l.Width = of, vg.Points(1)
		p.Add(l)
		if i == 0 {
			p.legend.Add(name, l)
		}
	}
	return nil
}

func (p *panel) points(name string, xys plotter.XYs, shape draw.GlyphDrawer, of color.Color) error {
	if len(xys) == 0 {
		return nil
	}
	s, err := plotter.NewScatter(xys)
	if err != nil {
		return err
	}
	s.GlyphStyle = draw.GlyphStyle{Color: of, Radius: vg.Points(2.5), Shape: shape}
	p.Add(s)
	p.legend.Add(name, s)
	return nil
}
