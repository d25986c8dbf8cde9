package timeline

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

const (
	width, left, right = 980, 380, 70 // of the picture; of the names; of the room for the last duration
	row, head          = 21, 58
	longest            = 54 // characters of a name
)

// The colours can be told apart by those who do not see red and green, on white: a page may be dark.
const (
	ofFunction, ofAWS, ofPostgres = "#555555", "#D55E00", "#0072B2"
	ink, faint                    = "#222222", "#d8d8d8"
)

// Part is a function's segment, with what it is called.
type Part struct {
	Function string
	Segment  Segment
}

// shown are the parts that take as long as least, and a line for the others.
func (p Part) shown(least float64) (long []Segment, rest string) {
	var short, together = 0, 0.0
	for _, one := range p.Segment.Subsegments {
		if ms := one.milliseconds(); ms < least {
			short, together = short+1, together+ms
			continue
		}
		long = append(long, one)
	}
	if short > 0 {
		rest = fmt.Sprintf("and %d shorter than %s, together %s", short, duration(least), duration(together))
	}
	return long, rest
}

// picture is one that is being drawn.
type picture struct {
	bytes.Buffer
	from, span float64 // seconds
	y          int
}

// Draw draws parts in the order in which they are given, as SVG. What took less than least, in ms, is counted.
func Draw(title string, least float64, parts []Part) []byte {
	p := &picture{from: math.Inf(1), y: head}
	until := math.Inf(-1)
	for _, part := range parts {
		p.from, until = min(p.from, part.Segment.Start), max(until, part.Segment.End)
	}
	p.span = until - p.from
	rows := &picture{from: p.from, span: p.span, y: p.y}
	for _, part := range parts {
		rows.part(part, least)
	}
	height := rows.y + 14
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="%s">`+"\n",
		width, height, width, height, ink)
	fmt.Fprintf(p, `<rect width="%d" height="%d" rx="6" fill="#ffffff" stroke="%s"/>`+"\n", width, height, faint)
	p.text(14, 22, "start", `font-size="14" font-weight="bold"`, title)
	p.legend()
	p.axis(height - 10)
	p.Write(rows.Bytes())
	p.WriteString("</svg>\n")
	return p.Bytes()
}

// part draws a function and what it did.
func (p *picture) part(part Part, least float64) {
	p.row(14, part.Function+": "+part.Segment.label(), part.Segment, ofFunction, `font-weight="bold"`)
	long, rest := part.shown(least)
	for _, one := range long {
		colour := ofPostgres
		if one.Namespace == "aws" {
			colour = ofAWS
		}
		p.row(30, one.label(), one, colour, "")
	}
	if rest != "" {
		p.text(30, float64(p.y+row-7), "start", `font-style="italic"`, rest)
		p.WriteString("\n")
		p.y += row
	}
}

// x is where a moment lies.
func (p *picture) x(at float64) float64 {
	return left + (at-p.from)/p.span*(width-left-right)
}

func (p *picture) row(indent int, name string, s Segment, colour, style string) {
	short := []rune(name)
	if len(short) > longest {
		short = append(short[:longest-1:longest-1], '…')
	}
	from, to := p.x(s.Start), p.x(s.End)
	fmt.Fprintf(p, `<g><title>%s, %.1f ms</title>`, html.EscapeString(name), s.milliseconds())
	p.text(float64(indent), float64(p.y+row-7), "start", style, string(short))
	fmt.Fprintf(p, `<rect x="%.1f" y="%d" width="%.1f" height="%d" rx="1.5" fill="%s"/>`, from, p.y+4, max(to-from, 1.5), row-8, colour)
	p.text(to+5, float64(p.y+row-7), "start", `font-size="11"`, duration(s.milliseconds()))
	p.WriteString("</g>\n")
	p.y += row
}

// axis has a line for each of some round times.
func (p *picture) axis(bottom int) {
	step := round(p.span * 1000 / 6)
	for at := 0.0; at <= p.span*1000; at += step {
		x := p.x(p.from + at/1000)
		fmt.Fprintf(p, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>`, x, head-8, x, bottom, faint)
		p.text(x, head-14, "middle", `font-size="11"`, fmt.Sprintf("%.0f ms", at))
	}
	p.WriteString("\n")
}

// round is the next of 1, 2 and 5 times a power of ten.
func round(ms float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(ms)))
	for _, times := range []float64{1, 2, 5} {
		if ms <= times*power {
			return times * power
		}
	}
	return 10 * power
}

func (p *picture) legend() {
	for i, one := range []struct{ colour, name string }{{ofFunction, "function"}, {ofPostgres, "Postgres"}, {ofAWS, "AWS"}} {
		x := 14 + 84*i
		fmt.Fprintf(p, `<rect x="%d" y="34" width="10" height="10" rx="1.5" fill="%s"/>`, x, one.colour)
		p.text(float64(x+15), 43, "start", `font-size="11"`, one.name)
	}
	p.WriteString("\n")
}

func (p *picture) text(x, y float64, anchor, style, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`, x, y, anchor, style, html.EscapeString(text))
}

func duration(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
