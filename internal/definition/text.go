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

// within gives the nearest place that the text has; the end of a line is one.
func (t text) within(at position) position {
	at.Line = min(max(at.Line, 1), len(t))
	at.Column = min(max(at.Column, 1), len(t[at.Line-1])+1)
	return at
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
		if message, remedy := unreadable(r); message != "" {
			return "", Problems{{Line: at.Line, Column: at.Column, Message: message, Remedy: remedy}}
		}
		if at.Column++; r == '\n' {
			at = position{at.Line + 1, 1}
		}
	}
	if at, deep := nested(plain); deep {
		return "", Problems{{Line: at.Line, Column: at.Column, Message: fmt.Sprintf("lists or mappings are nested more than %d deep", maxNesting),
			Remedy: "close brackets that were left open; a definition has lists of values, and no lists in lists"}}
	}
	return plain, nil
}

// maxNesting bounds brackets, and the dashes of one line: the YAML reader keeps for each value the path to it, so 10,000 take
// 160 MB, and what fits into a file more than a function has.
const maxNesting = 200

// nested finds where more is open than anybody means, whatever stands in quotes.
func nested(plain string) (at position, deep bool) {
	at = position{1, 1}
	for line := range strings.SplitSeq(plain, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " "), strings.Repeat("- ", maxNesting+1)) {
			return at, true
		}
		at.Line++
	}
	return bracketed(plain)
}

// bracketed finds where too many brackets are open.
func bracketed(plain string) (at position, deep bool) {
	at = position{1, 1}
	depth := 0
	for _, r := range plain {
		switch r {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		}
		if depth > maxNesting {
			return at, true
		}
		if at.Column++; r == '\n' {
			at = position{at.Line + 1, 1}
		}
	}
	return at, false
}

// unreadable says what is wrong with a character. A text of another encoding has become U+FFFD by the time it comes as JSON.
func unreadable(r rune) (message, remedy string) {
	switch {
	case r == 0:
		return "there is a NUL character, as in a file that is UTF-16", "save it as UTF-8"
	case r == utf8.RuneError:
		return "there is U+FFFD, which stands for bytes that were no UTF-8", "save the file as UTF-8; if that very character is meant, write chr(65533)"
	case hidden(r):
		return fmt.Sprintf("there is the invisible character %U", r), "remove it; in an SQL text write it as chr() of its number"
	}
	return "", ""
}

// hidden finds control characters, and those that make a line read otherwise than it runs (right-to-left marks).
func hidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= '\u202a' && r <= '\u202e' ||
		r >= '\u2066' && r <= '\u2069' || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}
