package change

import (
	"slices"

	"backfill/internal/keyset"
)

// Copying is what a run of kind Copy or Move writes: rows of another table, the target.
type Copying struct {
	Into Table `json:"into"`
	// Columns of the target, with expressions over the row that is copied.
	Columns    []Assignment `json:"columns"`
	OnConflict OnConflict   `json:"on_conflict"`
	// Key has the target's columns by which undo, and OnConflict Update, know its rows: all of one unique index.
	Key []keyset.Column `json:"key,omitempty"`
	// Collations are those of Key, quoted; "": the type has none.
	Collations []string `json:"collations,omitempty"`
	// Row are all columns of the target that Postgres does not generate: what tells whether a row still is as it was inserted.
	Row []Column `json:"row,omitempty"`
	// Overriding: a column numbers rows by itself, and gets its numbers from the copy.
	Overriding bool `json:"overriding,omitempty"`
}

// OnConflict is what becomes of a row whose place in the target another one has.
type OnConflict string

// The ways.
const (
	Fail    OnConflict = "fail"    // it is a row that does not allow the change
	Nothing OnConflict = "nothing" // it is passed over
	Update  OnConflict = "update"  // it gets the values of the row that is copied
)

// OnConflicts lists every way.
func OnConflicts() []OnConflict { return []OnConflict{Fail, Nothing, Update} }

// Written lists the columns that are written beside the key.
func (c *Copying) Written() (columns []Column) {
	for _, assignment := range c.Columns {
		if !slices.ContainsFunc(c.Key, func(k keyset.Column) bool { return k.Name == assignment.Column }) {
			columns = append(columns, assignment.column())
		}
	}
	return columns
}

// Value finds what a column of the target is given.
func (c *Copying) Value(column string) (Assignment, bool) {
	i := slices.IndexFunc(c.Columns, func(a Assignment) bool { return a.Column == column })
	if i < 0 {
		return Assignment{}, false
	}
	return c.Columns[i], true
}
