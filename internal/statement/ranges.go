package statement

import (
	"strings"

	"backfill/internal/keyset"
)

// Span is a range with what Postgres said of its ends: Common is the number of leading key columns in which both
// are equal. Text cannot tell (1.0 and 1.00, 'a' and 'A' in some collations).
type Span struct {
	keyset.Range
	Common int
}

// part is a stretch of an index: the leading columns fixed, the next one bounded.
type part struct {
	prefix    keyset.Point
	above     *string // exclusive
	below     *string
	inclusive bool // below itself belongs to it
}

// split cuts a span of a composite key into parts that an index walks exactly. Up to Postgres 17 the upper bound of
// a row comparison, (a, b) <= (1, 2), does not stop the walk before the end of a = 1 (measured: 3,835 buffers in
// place of 42). Parts are disjoint and in key order; a span within one prefix is one part, which is the usual case.
//
//	(a,b,c) in ((1,2,3), (1,5,6)]  ->  a=1 and b=2 and c>3 | a=1 and b>2 and b<5 | a=1 and b=5 and c<=6
func split(span Span) []part {
	var parts []part
	last, from := len(span.Hi)-1, span.Common
	if span.Lo == nil {
		from = 0
	}
	for i := last; i > from && span.Lo != nil; i-- {
		parts = append(parts, part{prefix: span.Lo[:i], above: &span.Lo[i]})
	}
	for i := from; i <= last; i++ {
		next := part{prefix: span.Hi[:i], below: &span.Hi[i], inclusive: i == last}
		if i == from && span.Lo != nil {
			next.above = &span.Lo[i]
		}
		parts = append(parts, next)
	}
	return parts
}

// stretch is the condition for a part.
func (b *binder) stretch(key []keyset.Column, p part) string {
	var terms []string
	for i, text := range p.prefix {
		terms = append(terms, b.compare(key[i], "=", text))
	}
	next := key[len(p.prefix)]
	if p.above != nil {
		terms = append(terms, b.compare(next, ">", *p.above))
	}
	if p.below != nil {
		operator := "<"
		if p.inclusive {
			operator = "<="
		}
		terms = append(terms, b.compare(next, operator, *p.below))
	}
	return strings.Join(terms, " AND ")
}

func (b *binder) compare(column keyset.Column, operator, text string) string {
	return b.target + Quote(column.Name) + " " + operator + " " + b.value(text, column.Type)
}
