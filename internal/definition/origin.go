package definition

import (
	"strconv"
	"strings"
	"unicode"
)

// position is a place in the file, counted from 1 in characters.
type position struct{ Line, Column int }

// origin says where in the file a text came from. YAML folds lines and hides quotes and escapes, so each character
// that is not white space has a place of its own.
type origin struct {
	key    position // of the name before the text
	start  position
	text   string
	spots  []position // of the text's characters without white space; nil: only start is known
	quoted bool
}

// at gives the place of the text's byte offset; a negative one stands for the key.
func (o origin) at(offset int) position {
	switch {
	case offset < 0:
		return o.key
	case len(o.spots) == 0:
		return o.start
	}
	before := 0
	for _, r := range o.text[:min(offset, len(o.text))] {
		if !unicode.IsSpace(r) {
			before++
		}
	}
	if before < len(o.spots) {
		return o.spots[before]
	}
	last := o.spots[len(o.spots)-1]
	return position{last.Line, last.Column + 1}
}

// style is how YAML writes a scalar.
type style int

const (
	bare style = iota
	single
	double
	block
)

// spots finds the place of each character of a scalar that starts at start, or nil when the file's text and the
// scalar's are not the same, character by character.
func (t text) spots(start position, s style, value string) []position {
	c := &cursor{text: t, at: start, style: s}
	switch s {
	case single, double:
		c.at.Column++
	case block:
		c.at = position{start.Line + 1, 1}
	case bare:
	}
	var spots []position
	for _, want := range value {
		if unicode.IsSpace(want) {
			continue
		}
		at, got := c.next()
		if got != want {
			return nil
		}
		spots = append(spots, at)
	}
	return spots
}

// cursor walks the characters of a scalar as YAML decodes them.
type cursor struct {
	text  text
	at    position
	style style
}

// next gives the next character that is not white space, and where it stands; 0 at the end.
func (c *cursor) next() (position, rune) {
	for {
		at := c.at
		r := c.raw()
		switch {
		case r == 0:
			return at, 0
		case r == '\\' && c.style == double:
			r = c.escape()
		case r == '\'' && c.style == single:
			c.raw() // the second of the two
		}
		if !unicode.IsSpace(r) {
			return at, r
		}
	}
}

// raw gives the next character of the file.
func (c *cursor) raw() rune {
	r, ok := c.text.rune(c.at)
	switch {
	case !ok:
		return 0
	case r == '\n':
		c.at = position{c.at.Line + 1, 1}
	default:
		c.at.Column++
	}
	return r
}

// escape decodes what follows a backslash between double quotes.
func (c *cursor) escape() rune {
	r := c.raw()
	if size := strings.IndexRune("  x u   U", r); size > 1 {
		var digits strings.Builder
		for range size {
			digits.WriteRune(c.raw())
		}
		code, err := strconv.ParseUint(digits.String(), 16, 32)
		if err != nil {
			return 0
		}
		return rune(code)
	}
	if strings.ContainsRune("nrtvf_NLP", r) {
		return ' '
	}
	return r
}
