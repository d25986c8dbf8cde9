package change

// Kind is the kind of a change.
type Kind string

// The kinds. What each is to a definition, to the table and in SQL stands in the files kind.go of definition, catalog and
// statement, and in the file of its name beside it; what the rest asks of a kind is in kinds.
const (
	Set       Kind = "set"       // updates rows in place
	Joined    Kind = "join"      // the same, from rows of other tables
	Delete    Kind = "delete"    // deletes rows
	Archived  Kind = "archive"   // the same, and puts them into another table
	Copy      Kind = "copy"      // inserts rows into another table
	Move      Kind = "move"      // the same, and deletes them where they were
	Transform Kind = "transform" // updates rows in place, by values that a Go function computes
)

// traits are what is asked of a kind beside its SQL.
type traits struct {
	deed      string // what was done to the rows that are affected, as people say it
	plain     string // why passes over a chunk cannot pay; "": they may
	displaced bool   // a rollback may find that a row has no place beside the others any more, which is a conflict
	unjudged  string // why its rows do not tell by themselves whether they hold what they should; "": they may
}

var kinds = map[Kind]traits{
	Set:       {deed: "changed"},
	Joined:    {deed: "changed", unjudged: "what a row should hold stands in other tables, which may have changed since"},
	Transform: {deed: "changed", unjudged: "what a row should hold only its Go function can tell"},
	Delete:    {deed: "deleted", plain: unwritten, displaced: true, unjudged: gone},
	Archived:  {deed: "deleted", plain: unwritten, displaced: true, unjudged: gone},
	Copy:      {deed: "copied", plain: elsewhere, displaced: true, unjudged: "its rows are in another table, and applications may have changed both since"},
	Move:      {deed: "moved", plain: elsewhere, displaced: true, unjudged: gone},
}

const (
	unwritten = "rows are deleted, and none is written that could be HOT"
	elsewhere = "rows are written to another table, where they are new"
	gone      = "its rows are gone from the table"
)

// Known tells whether this build knows the kind. A run that a newer one began may be of another.
func (k Kind) Known() bool { return kinds[k].deed != "" }

// Deed is what was done to rows, as people say it: "changed".
func (k Kind) Deed() string {
	if !k.Known() {
		return "changed"
	}
	return kinds[k].deed
}

// Plain says why a chunk is never gone over in passes; "": it may be.
func (k Kind) Plain() string { return kinds[k].plain }

// Displaces tells whether a rollback leaves alone a row that has no place any more beside the others. Else that fails its chunk.
func (k Kind) Displaces() bool { return kinds[k].displaced }

// Unjudged says why rows of the kind do not tell by themselves whether they hold what they should, "" where they may.
func (k Kind) Unjudged() string {
	if !k.Known() {
		return "this version does not know a change of kind " + string(k)
	}
	return kinds[k].unjudged
}

// Column is a column whose values a run overwrites or deletes. Undo keeps them.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // as format_type prints it
	Base string `json:"base"` // the type under all domains, without its modifiers
}

// Columns lists the columns whose values undo keeps beside the key.
func (c Change) Columns() []Column {
	switch c.Kind {
	case Delete, Archived, Move:
		return c.Row
	case Copy:
		return c.Copy.Written()
	case Transform:
		return c.Function.Writes
	default:
		columns := make([]Column, len(c.Set))
		for i, assignment := range c.Set {
			columns[i] = assignment.column()
		}
		return columns
	}
}

func (a Assignment) column() Column { return Column{Name: a.Column, Type: a.Type, Base: a.Base} }
