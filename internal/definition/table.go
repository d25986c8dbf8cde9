package definition

import (
	"fmt"
	"regexp"
	"strings"

	"backfill/internal/change"
)

// maxIdentifier is Postgres' NAMEDATALEN - 1: it would cut a longer name off silently and find another table.
const maxIdentifier = 63

// Names as Postgres reads them; in the common part of what Go and JavaScript understand, since editors check them, too.
const (
	barePattern   = `(?:[A-Za-z_]|[^\x00-\x7F])(?:[A-Za-z0-9_$]|[^\x00-\x7F])*`
	quotedPattern = `"(?:[^"]|"")+"`
	tablePattern  = `^\s*(?:` + barePattern + `|` + quotedPattern + `)(?:\.(?:` + barePattern + `|` + quotedPattern + `))?\s*$`
)

var bareIdentifier = regexp.MustCompile("^" + barePattern)

func (r *reader) table(e entry) change.Table {
	text, ok := r.line(e, e.name)
	if !ok {
		return change.Table{}
	}
	table, complaint := parseTable(text)
	if complaint != "" {
		r.refuse(e.at(), e.name, fmt.Sprintf("%s: %s", shorten(text), complaint),
			`write schema.table; in double quotes a name that has capitals, spaces or dots: public."Order Items"`)
	}
	return table
}

// parseTable reads a name as SQL does: what is not in double quotes is in lower case. No schema means public.
func parseTable(text string) (change.Table, string) {
	var parts []string
	for rest := text; ; rest = rest[1:] {
		part, after, complaint := identifier(rest)
		if complaint != "" {
			return change.Table{}, complaint
		}
		parts, rest = append(parts, part), after
		if rest == "" {
			break
		}
		if rest[0] != '.' {
			return change.Table{}, fmt.Sprintf("%q is not part of a name", shorten(rest))
		}
	}
	switch len(parts) {
	case 1:
		return change.Table{Schema: "public", Name: parts[0]}, ""
	case 2:
		return change.Table{Schema: parts[0], Name: parts[1]}, ""
	}
	return change.Table{}, "it has more than two parts"
}

// identifier takes one name off the text.
func identifier(text string) (name, rest, complaint string) {
	if !strings.HasPrefix(text, `"`) {
		found := bareIdentifier.FindString(text)
		if found == "" {
			return "", "", fmt.Sprintf("%q does not begin a name", shorten(text))
		}
		return strings.ToLower(found), text[len(found):], identifierComplaint(found)
	}
	for end := 1; end < len(text); end++ {
		if text[end] != '"' {
			continue
		}
		if strings.HasPrefix(text[end+1:], `"`) {
			end++
			continue
		}
		name = strings.ReplaceAll(text[1:end], `""`, `"`)
		return name, text[end+1:], identifierComplaint(name)
	}
	return "", "", "a double quote is not closed"
}

func identifierComplaint(name string) string {
	switch {
	case name == "":
		return "a name is empty"
	case len(name) > maxIdentifier:
		return fmt.Sprintf("a name has %d bytes, and Postgres takes %d", len(name), maxIdentifier)
	case strings.ContainsRune(name, 0):
		return "a name holds a NUL character"
	}
	return ""
}
