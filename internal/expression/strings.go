package expression

import (
	"regexp"
	"strings"
)

// quote takes 'text' or "a name"; a doubled quote stands for itself, a backslash is an ordinary character.
func (l *lexer) quote(k kind, mark byte, what string) {
	for end := l.at + 1; end < len(l.text); end++ {
		if l.text[end] != mark {
			continue
		}
		if end+1 < len(l.text) && l.text[end+1] == mark {
			end++
			continue
		}
		l.add(k, end+1)
		return
	}
	l.unterminated(what, string(mark))
}

// escapeString takes E'text', in which a backslash hides the next character.
func (l *lexer) escapeString() {
	for end := l.at + len("E'"); end < len(l.text); end++ {
		switch l.text[end] {
		case '\\':
			end++
		case '\'':
			if next, ok := continuation(l.text, end+1); ok {
				end = next
				continue
			}
			l.add(literal, end+1)
			return
		}
	}
	l.unterminated("string", "'")
}

// continuation tells whether a string goes on after its quote: directly (”) or after white space with a line
// break, when SQL joins both parts and the second keeps the rules of the first.
func continuation(text string, at int) (int, bool) {
	rest := strings.TrimLeft(text[at:], " \t\n\r\f\v")
	space := text[at : len(text)-len(rest)]
	if !strings.HasPrefix(rest, "'") || space != "" && !strings.ContainsAny(space, "\n\r") {
		return 0, false
	}
	return at + len(space), true
}

var (
	dollarTag       = regexp.MustCompile(`^\$([A-Za-z_\x{80}-\x{10FFFF}][A-Za-z0-9_\x{80}-\x{10FFFF}]*)?\$`)
	positionalParam = regexp.MustCompile(`^\$[0-9]+`)
	numberText      = regexp.MustCompile(`^(0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+|` +
		`([0-9](_?[0-9])*)?(\.([0-9](_?[0-9])*)?)?([eE][+-]?[0-9](_?[0-9])*)?)`)
)

// dollar takes $tag$text$tag$, or the $1 that belongs to the product.
func (l *lexer) dollar() {
	rest := l.text[l.at:]
	if tag := dollarTag.FindString(rest); tag != "" {
		size := strings.Index(rest[len(tag):], tag)
		if size < 0 {
			l.unterminated("string", tag)
			return
		}
		l.add(literal, l.at+size+2*len(tag))
		return
	}
	l.add(positional, l.at+max(1, len(positionalParam.FindString(rest))))
}

// number takes a number. Servers differ on one that runs into a name (12abc), so it is refused.
func (l *lexer) number() {
	end := l.at + len(numberText.FindString(l.text[l.at:]))
	if end < len(l.text) && isName(l.text[end]) {
		l.refuse(l.at, "a number runs into a name", "put a space between them")
	}
	l.add(number, end)
}

func (l *lexer) unterminated(what, end string) {
	l.refuse(l.at, "a "+what+" is not closed", "add "+end)
	l.at = len(l.text)
}
