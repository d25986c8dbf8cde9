// Package definition reads the YAML file of a backfill, and the parameters with which a run is asked for.
//
// It owns the file's keys, their rules, and Problems: everything that is wrong, in one answer, each with its line and
// what to do. It does not know the database: catalog resolves a definition against the real table and reports in the
// same words. Invariants: a Definition without problems has a name, a table and one kind: at least one column to
// set, a table to copy into, a where for the rows to delete, or a function with a column that it writes; its
// expressions were accepted by package expression; every parameter is declared and used; Source is the text from
// which it was read, so that parsing it again gives the same Definition. One with problems has what could be read, so that
// catalog's problems come in the same answer.
package definition

import (
	"slices"

	"backfill/internal/change"
	"backfill/internal/expression"
	"backfill/internal/keyset"
	"backfill/internal/signal"
	"backfill/internal/window"
)

// Limits of chunk_rows: smaller chunks spend their time on claims, larger ones outlive a worker's deadline.
const (
	DefaultChunkRows = 100_000
	minChunkRows     = 100
	maxChunkRows     = 10_000_000
)

// MaxErrorBudget bounds error_budget: each row that fails costs some 30 batches, so a definition that fails on more is wrong.
const MaxErrorBudget = 100_000

// Definition is a backfill as its file says.
type Definition struct {
	Name        string
	Description string
	Owner       string
	Database    string // of the stack; "": its own
	Table       change.Table
	Key         []string // columns' exact names; empty: the primary key
	DependsOn   []string // names of backfills
	Kind        change.Kind
	Set         []Assignment
	Join        *Join        // nil: the expressions read the table alone
	Archive     change.Table // of the rows that are deleted; zero: there is none
	Transform   Transform
	Copy        *Copy                 // nil: another kind
	Where       expression.Expression // zero: every row
	Params      []Param
	ChunkRows   int64
	Undo        bool                  // keep what is overwritten
	ErrorBudget int64                 // rows that may fail
	OnFailure   change.OnFailure      // "": as change.Stop
	Follow      bool                  // rows that come behind the last key meanwhile are in scope
	Order       keyset.Order          // of chunks; "": as keyset.Ascending
	Windows     window.Windows        // when a run may work; none: always
	Throttle    signal.Limits         // of the signals that are named; the others have their defaults
	Metrics     []signal.Metric       // signals of the definition's own
	Verify      expression.Expression // the invariant, a query in parentheses; zero: there is none
	Skips       bool                  // a start while another run holds the table is none, in place of a failure
	Repeatable  bool                  // a person says that the expressions give the same for a row that was written already
	Source      string

	origins  map[string]origin
	problems Problems
	mistyped []string // keys that are needed, and stand there under a name like theirs: a problem of that name alone
}

// Assignment sets one column; the name is exact, as in the catalog. An expression that was refused is zero.
type Assignment struct {
	Column     string
	Expression expression.Expression
}

// Param is a declared parameter. Values are text in the form that Arguments gives to a run.
type Param struct {
	Name        string
	Type        string
	Default     string
	Optional    bool // there is a default
	Min, Max    string
	Description string
}

// Parse reads a definition, and says all that is wrong with it. What is no mapping in YAML has no Source and no more.
func Parse(source []byte) (Definition, Problems) {
	text, problems := clean(source)
	if problems != nil {
		return Definition{}, problems
	}
	r := &reader{text: newText(text), origins: map[string]origin{}}
	root, ok := r.document(text)
	if !ok {
		return Definition{}, r.problems.Sorted()
	}
	d := r.definition(root)
	r.parameters(d)
	d.Source, d.origins, d.problems = string(source), r.origins, r.problems.Sorted()
	return d, d.problems
}

// Refused tells whether Parse had a problem with what stands at path ("table", "key", "params.since"), or below, or should stand there.
func (d Definition) Refused(path string) bool {
	return d.problems.within(path) || slices.Contains(d.mistyped, path)
}

// Problem places a complaint at the byte offset of the text that stands at path ("table", "key", "where",
// "set.email", "params.since"); a negative offset stands for the key before the text. A path that the file does not
// have is placed at the file's start.
func (d Definition) Problem(path string, offset int, message, remedy string) Problem {
	at := position{Line: 1, Column: 1}
	if origin, ok := d.origins[path]; ok {
		at = origin.at(offset)
	}
	return Problem{Line: at.Line, Column: at.Column, Path: path, Message: message, Remedy: remedy}
}

// Has tells whether something stands at path in the file.
func (d Definition) Has(path string) bool {
	_, ok := d.origins[path]
	return ok
}

// Quoted tells whether the text at path was in YAML's quotes, which are not part of it.
func (d Definition) Quoted(path string) bool { return d.origins[path].quoted }

// paramNames lists the declared parameters.
func (d Definition) paramNames() []string {
	names := make([]string, len(d.Params))
	for i, param := range d.Params {
		names[i] = param.Name
	}
	return names
}
