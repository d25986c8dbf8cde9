package expression

import "strings"

type kind int

const (
	word       kind = iota // an unquoted name or a keyword
	quoted                 // "a quoted name"
	literal                // a string in any of its forms
	number                 // 1, 1.5e3, 0x1F
	operator               // a run of operator characters
	parameter              // @name
	positional             // $1
	mark                   // one of ( ) [ ] , ; . :
	other                  // a character that Postgres will judge
)

type token struct {
	kind       kind
	start, end int
}

// lexer follows Postgres' scan.l with standard_conforming_strings on, which catalog insists on.
type lexer struct {
	text     string
	at       int
	tokens   []token
	problems []Problem
}

func lex(text string) ([]token, []Problem) {
	l := &lexer{text: text}
	for l.at < len(text) {
		l.next()
	}
	return l.tokens, l.problems
}

func (l *lexer) next() {
	start, c := l.at, l.text[l.at]
	switch {
	case isSpace(c):
		l.at++
	case strings.HasPrefix(l.text[l.at:], "--"), strings.HasPrefix(l.text[l.at:], "/*"):
		l.comment()
	case c == '\'':
		l.quote(literal, '\'', "string")
	case c == '"':
		l.quote(quoted, '"', "quoted name")
	case c == '$':
		l.dollar()
	case isNameStart(c):
		l.word()
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		l.number()
	case isOperator(c):
		l.operator()
	case strings.IndexByte("()[],;.:", c) >= 0:
		l.add(mark, start+1)
	default:
		l.add(other, start+1)
	}
}

func (l *lexer) add(k kind, end int) {
	l.tokens = append(l.tokens, token{kind: k, start: l.at, end: end})
	l.at = end
}

func (l *lexer) refuse(offset int, message, remedy string) {
	l.problems = append(l.problems, Problem{Offset: offset, Message: message, Remedy: remedy})
}

// peek gives the byte at a distance, or 0 at the end.
func (l *lexer) peek(distance int) byte {
	if l.at+distance < len(l.text) {
		return l.text[l.at+distance]
	}
	return 0
}

// comment skips a comment whose end would decide what the text around it means.
func (l *lexer) comment() {
	l.refuse(l.at, "a comment is not allowed in an expression",
		"write it as a YAML comment on a line of its own; for two minus signs put a space between them")
	end := strings.IndexByte(l.text[l.at:], '\n')
	if l.text[l.at] == '/' {
		if end = strings.Index(l.text[l.at:], "*/"); end >= 0 {
			end += len("*/")
		}
	}
	if end < 0 {
		end = len(l.text) - l.at
	}
	l.at += end
}

func (l *lexer) word() {
	end := l.at + 1
	for end < len(l.text) && isName(l.text[end]) {
		end++
	}
	escape := end == l.at+1 && (l.text[l.at] == 'E' || l.text[l.at] == 'e')
	if escape && l.peek(1) == '\'' {
		l.escapeString()
		return
	}
	l.add(word, end)
}

// operator takes a run of operator characters; a comment ends it.
func (l *lexer) operator() {
	end := l.at
	for end < len(l.text) && isOperator(l.text[end]) {
		if rest := l.text[end:]; strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") {
			break
		}
		end++
	}
	run := l.text[l.at:end]
	if !strings.HasSuffix(run, "@") || end == len(l.text) || !isNameStart(l.text[end]) || !endsBefore(run) {
		l.add(operator, end)
		return
	}
	if len(run) > 1 {
		l.add(operator, end-1)
	}
	l.parameter()
}

func (l *lexer) parameter() {
	end := l.at + 1
	for end < len(l.text) && isName(l.text[end]) {
		end++
	}
	l.add(parameter, end)
}

// endsBefore tells whether the last @ of a run of operator characters begins a parameter: it stands alone, or
// directly after an operator as in >=@since. The @ of <@, @@ and of operators that users define belongs to them.
func endsBefore(run string) bool {
	switch strings.TrimSuffix(run, "@") {
	case "", "=", "<>", "!=", ">", "<=", ">=", "+", "-", "*", "/", "%", "||", "=>", "->", "->>", "#>", "#>>", "@>", "&&":
		return true
	}
	return false
}

func isSpace(c byte) bool { return strings.IndexByte(" \t\n\r\f\v", c) >= 0 }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
func isName(c byte) bool     { return isNameStart(c) || isDigit(c) || c == '$' }
func isOperator(c byte) bool { return c != 0 && strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }
