// Package change says what a run does to each row: a definition after it was resolved against the real table.
//
// A Change is stored with the run when it begins, and everything later (planner, worker, governor) works from it,
// whatever is deployed or edited meanwhile. It owns that stored form and nothing that acts. Invariants: names are
// as in the catalog (unquoted, exact case); expressions are the user's text with parameters as @name; values of
// parameters are text with a type and always travel as bind values.
package change

import (
	"backfill/internal/keyset"
	"backfill/internal/signal"
)

// Change is stored as JSON in Postgres (backfill.runs.change).
type Change struct {
	Kind  Kind            `json:"kind"`
	Table Table           `json:"table"`
	Key   []keyset.Column `json:"key"`
	Set   []Assignment    `json:"set,omitempty"`
	Join  *Join           `json:"join,omitempty"` // of the kind Joined
	// Row are the columns of a row that is deleted, without those that Postgres generates: beside the key, or of a row that is moved all.
	Row []Column `json:"row,omitempty"`
	// Archive is of the kind Archived.
	Archive *Archive `json:"archive,omitempty"`
	// Copy is what a copy writes, and where; nil for every other kind.
	Copy *Copying `json:"copy,omitempty"`
	// Function is what computes the values that are written, where the kind is Transform.
	Function *Function `json:"function,omitempty"`
	Where    string    `json:"where,omitempty"`
	Params   []Param   `json:"params,omitempty"`
	// Volatile: an expression gives another value each time (gen_random_uuid()), so rows that "already hold the
	// value" cannot be told and every row in scope is written.
	Volatile bool `json:"volatile,omitempty"`
	// Undo: each batch keeps what it overwrites, so that the run can be rolled back.
	Undo bool `json:"undo,omitempty"`
	// Partitioned: a row's ctid is unique within its partition only.
	Partitioned bool `json:"partitioned,omitempty"`
	// Spread: a range of keys lies in many partitions, since those are cut by hash, or small.
	Spread bool `json:"spread,omitempty"`
	// RowBytes is the usual size of a row with its TOASTed values, by the catalog; 0: not known.
	RowBytes int64 `json:"row_bytes,omitempty"`
	// Deferrable: a unique constraint of the table is, so an INSERT cannot pass over a row that it has no room for.
	Deferrable bool `json:"deferrable,omitempty"`
	// Indexed is an index with a written column in it; "": there is none.
	Indexed string `json:"indexed,omitempty"`
	// ErrorBudget is how many rows that do not allow the change a run passes over; 0: the first of them ends it.
	ErrorBudget int64 `json:"error_budget,omitempty"`
	// OnFailure is what a chunk that has failed means for the others; "": Stop.
	OnFailure OnFailure `json:"on_failure,omitempty"`
	// Follow: rows that come behind the bound while the run goes on are in scope, until a round over them had nothing to write.
	Follow bool `json:"follow,omitempty"`
	// Order is the way that chunks take through the key space; "": keyset.Ascending.
	Order keyset.Order `json:"order,omitempty"`
	// Throttle are the limits of signals that the definition sets.
	Throttle signal.Limits `json:"throttle,omitempty"`
	// Metrics are the signals of the definition's own.
	Metrics []signal.Metric `json:"metrics,omitempty"`
	// Verify is how the run is verified; nil: it began before that was noted.
	Verify *Verify `json:"verify,omitempty"`
	// ChunkRows is the number of keys in a chunk.
	ChunkRows int64 `json:"chunk_rows"`
}

// OnFailure is what becomes of a run of which a chunk has failed.
type OnFailure string

// The ways. Stop and Continue end FAILED.
const (
	Stop     OnFailure = "stop"     // no batch starts any more
	Pause    OnFailure = "pause"    // nor here, and a person decides how the run goes on
	Continue OnFailure = "continue" // the other chunks are finished first
)

// OnFailures lists every way.
func OnFailures() []OnFailure { return []OnFailure{Stop, Pause, Continue} }

// Table is a table's exact name in the catalog.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
}

// String prints the name for people; SQL quotes it by pgx.Identifier instead.
func (t Table) String() string { return t.Schema + "." + t.Name }

// Assignment sets one column.
type Assignment struct {
	Column     string `json:"column"`
	Type       string `json:"type"` // as format_type prints it
	Base       string `json:"base"` // the type under all domains, without its modifiers
	Expression string `json:"expression"`
}

// Param is a parameter's value for this run.
type Param struct {
	Name  string `json:"name"`
	Type  string `json:"type"`  // a Postgres type; $n is cast to it
	Value string `json:"value"` // as text
}
