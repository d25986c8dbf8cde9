package change

// Kind is the kind of a change.
type Kind string

// The kinds. What each is to a definition, to the table and in SQL stands in the files kind.go of definition, catalog and
// statement, and in the file of its name beside it.
const (
	Set    Kind = "set"    // updates rows in place
	Delete Kind = "delete" // deletes rows
	Joined Kind = "join"   // updates rows in place, from rows of other tables
	// Archived deletes rows, and puts them into another table.
	Archived Kind = "archive"
)

// Known tells whether this build knows the kind. A run that a newer one began may be of another.
func (k Kind) Known() bool { return k == Set || k == Joined || k.Deletes() }

// Column is a column whose values a run overwrites or deletes. Undo keeps them.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // as format_type prints it
	Base string `json:"base"` // the type under all domains, without its modifiers
}

// Columns lists the columns whose values undo keeps beside the key.
func (c Change) Columns() []Column {
	if c.Kind.Deletes() {
		return c.Row
	}
	columns := make([]Column, len(c.Set))
	for i, assignment := range c.Set {
		columns[i] = Column{Name: assignment.Column, Type: assignment.Type, Base: assignment.Base}
	}
	return columns
}
