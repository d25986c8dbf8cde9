// Package keyset names keys and the ranges between them.
//
// It owns Column, Point, Range, and Order, the way of a walk. It does not order keys: Postgres alone does (collations, numeric, uuid), so
// nothing here compares two points by their text but for identity of the text. Invariants: a point has one text per
// key column, in key order; a range is half open, (Lo, Hi]; an absent Lo is minus infinity.
package keyset

import "slices"

// Column is one column of a key.
type Column struct {
	Name string `json:"name"`
	// Type as Postgres' format_type prints it; text that a point carries is cast to it.
	Type string `json:"type"`
}

// Point is a key: each column's value as Postgres prints it (DateStyle ISO, TimeZone UTC). It travels as text
// because a JSON number loses integers beyond 2^53. A nil Point is an open end.
type Point []string

// Same tells whether both texts are the same. Different texts can still be equal keys (1.0 and 1.00).
func (p Point) Same(q Point) bool { return slices.Equal(p, q) }

// Range is the half-open keyset range (Lo, Hi].
type Range struct {
	Lo Point `json:"lo,omitempty"`
	Hi Point `json:"hi"`
}

// Names lists the columns' names, in key order.
func Names(columns []Column) []string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	return names
}
