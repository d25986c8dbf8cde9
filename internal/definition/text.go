package definition

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"backfill/internal/figure"
)

// maxSource bounds a file: it travels in events and is stored with each run.
const maxSource = 64 << 10

// text is a file's lines.
type text [][]rune

func newText(source string) text {
	var lines text
	for line := range strings.SplitSeq(source, "\n") {
		lines = append(lines, []rune(line))
	}
	return lines
}

// rune gives the character at a place; the end of a line is '\n'.
func (t text) rune(at position) (rune, bool) {
	if at.Line < 1 || at.Line > len(t) || at.Column < 1 {
		return 0, false
	}
	if line := t[at.Line-1]; at.Column <= len(line) {
		return line[at.Column-1], true
	}
	return '\n', at.Line < len(t)
}

// holds tells whether a piece stands somewhere in a line.
func (t text) holds(piece string) bool {
	return slices.ContainsFunc(t, func(line []rune) bool { return strings.Contains(string(line), piece) })
}

// rest gives a line from a place to its end.
func (t text) rest(at position) string {
	if at.Line < 1 || at.Line > len(t) || at.Column < 1 || at.Column > len(t[at.Line-1]) {
		return ""
	}
	return string(t[at.Line-1][at.Column-1:])
}

// clean gives the source with plain line ends, or refuses what a reviewer could not see.
func clean(source []byte) (string, Problems) {
	switch {
	case len(source) > maxSource:
		return "", Problems{{Message: fmt.Sprintf("the file has %s bytes, and %s are allowed", figure.Count(int64(len(source))), figure.Count(maxSource)),
			Remedy: "shorten it; long lists belong in a table"}}
	case !utf8.Valid(source):
		return "", Problems{{Message: "the file is not UTF-8", Remedy: "save it as UTF-8"}}
	}
	plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(source), "\ufeff"))
	at := position{1, 1}
	for _, r := range plain {
		if hidden(r) {
			return "", Problems{{Line: at.Line, Column: at.Column,
				Message: fmt.Sprintf("there is the invisible character %U", r), Remedy: "remove it"}}
		}
		if at.Column++; r == '\n' {
			at = position{at.Line + 1, 1}
		}
	}
	return plain, nil
}

// hidden finds control characters, and those that make a line read otherwise than it runs (right-to-left marks).
func hidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= '\u202a' && r <= '\u202e' ||
		r >= '\u2066' && r <= '\u2069' || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}
