package statement

import (
	"fmt"
	"strings"
	"unicode"
)

// literal writes a text as a string constant that every server reads as that text, whatever standard_conforming_strings is, and that a terminal shows
// as it is: what cannot be printed stands there by its number.
func literal(text string) string {
	text = strings.ReplaceAll(text, "'", "''")
	if !strings.ContainsFunc(text, func(r rune) bool { return r == '\\' || !unicode.IsPrint(r) }) {
		return "'" + text + "'"
	}
	var escaped strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			escaped.WriteString(`\\`)
		case unicode.IsPrint(r):
			escaped.WriteRune(r)
		case r <= unicode.MaxASCII:
			fmt.Fprintf(&escaped, `\x%02x`, r)
		default:
			fmt.Fprintf(&escaped, `\U%08x`, r)
		}
	}
	return "E'" + escaped.String() + "'"
}
