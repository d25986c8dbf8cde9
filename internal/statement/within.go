package statement

import (
	"fmt"
	"strings"
	"unicode"

	"backfill/internal/keyset"
)

// longestCondition bounds what people are told of a range, in characters: it stands in a reason with other things.
const longestCondition = 200

// Within tells people which rows a range has: as a condition that can be put behind WHERE, or where that would be too
// long, or not be read as it is written, as the range itself, which is cut.
func Within(key []keyset.Column, r keyset.Range) string {
	names := row(quoted(key))
	condition := fmt.Sprintf("%s <= %s", names, literals(key, r.Hi))
	if r.Lo != nil {
		condition = fmt.Sprintf("%s > %s AND %s", names, literals(key, r.Lo), condition)
	}
	return orElse(condition, names+" in "+r.Text())
}

// At is Within for one row.
func At(key []keyset.Column, point keyset.Point) string {
	names := row(quoted(key))
	return orElse(names+" = "+literals(key, point), names+" = "+point.Text())
}

func orElse(condition, shown string) string {
	exact := len([]rune(condition)) <= longestCondition && !strings.ContainsFunc(condition, func(r rune) bool { return !unicode.IsPrint(r) })
	if exact {
		return condition
	}
	if runes := []rune(shown); len(runes) > longestCondition {
		return string(runes[:longestCondition]) + "…"
	}
	return shown
}

// literals writes a key so that Postgres takes it for one of the columns' types: a number as it is would make a
// comparison of another type of most of them.
func literals(key []keyset.Column, point keyset.Point) string {
	texts := make([]string, len(point))
	for i, text := range point {
		texts[i] = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		if integer(key[i : i+1]) {
			texts[i] = text
		}
	}
	return row(texts)
}
