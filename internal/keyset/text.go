package keyset

import (
	"strconv"
	"strings"
	"unicode"
)

// longest is the part of a key's text that people get to see, in characters.
const longest = 40

// Text shows the range as people write it: (100, 200], or [first, 200] where it has no lower end. Long texts are cut.
func (r Range) Text() string {
	from := "[first"
	if r.Lo != nil {
		from = "(" + r.Lo.Text()
	}
	return from + ", " + r.Hi.Text() + "]"
}

// Text shows the key: one text, or several in parentheses. It is not String: a driver or a log may take that in place of the texts.
func (p Point) Text() string {
	texts := make([]string, len(p))
	for i, text := range p {
		texts[i] = shown(text)
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

// shown quotes a text whose end could not be told.
func shown(text string) string {
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	if text == "" || strings.ContainsFunc(text, ambiguous) {
		return strconv.Quote(text)
	}
	return text
}

func ambiguous(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`,"()[]\`, r) }
