// Package prospect says what a run would do: the answer to a dry run.
//
// It owns the form of the answer, what of it may leave for Step Functions, and the arithmetic of what a run would take. It leaves
// looking at the database to rehearsal. Invariants: values of rows are in Sample alone; a Summary has none, nor a plan, which may hold
// some; what was not found out is named with its reason, and is no zero.
package prospect

import "backfill/internal/change"

// Prospect is what a run would do.
type Prospect struct {
	Backfill   string        `json:"backfill"`
	Version    int64         `json:"version,omitempty"` // of a definition that is registered
	Change     change.Change `json:"change"`
	InTheWay   []string      `json:"in_the_way"` // what a start would be refused for now, and might not be later
	Notes      []string      `json:"notes"`
	Locks      []string      `json:"locks"`
	Passes     string        `json:"passes"` // how chunks would be gone over, and why
	Plan       Plan          `json:"plan"`
	Prepared   int           `json:"prepared"` // statements that Postgres has read without an error
	Statements []Statement   `json:"statements"`
	Extent     Extent        `json:"extent"`
	Estimate   *Estimate     `json:"estimate,omitempty"`
	Sample     []Row         `json:"sample"`
	Unknown    []string      `json:"unknown"` // what could not be found out, and why
}

// Plan is that of a batch's change.
type Plan struct {
	Of      string   `json:"of"` // the range, for people
	Lines   []string `json:"lines"`
	Verdict string   `json:"verdict"`
}

// Statement is one that the run would send. Values are $n.
type Statement struct {
	Purpose string `json:"purpose"`
	SQL     string `json:"sql"`
}

// Extent is how much there is to do.
type Extent struct {
	Rows    int64  `json:"rows"`
	Chunks  int64  `json:"chunks"`
	Counted bool   `json:"counted"` // rows and chunks are those of a walk over the key; else they are estimated
	Looked  Looked `json:"looked"`
	// InScope and ToWrite are of the whole table, reckoned from what was looked at; nil: nothing is known.
	InScope *Figure `json:"in_scope,omitempty"`
	ToWrite *Figure `json:"to_write,omitempty"`
	Skips   string  `json:"skips"` // whether an index tells chunks without a row in scope
}

// Looked is what was looked at to tell which rows are in scope.
type Looked struct {
	Stretches int64 `json:"stretches"` // of the key space
	Rows      int64 `json:"rows"`
	InScope   int64 `json:"in_scope"`
	ToWrite   int64 `json:"to_write"`
	All       bool  `json:"all"` // they are the table
}

// Figure is an estimate with its bounds.
type Figure struct {
	Value int64 `json:"value"`
	From  int64 `json:"from"`
	To    int64 `json:"to"`
}

// Row is one row before and after. NULL is nil.
type Row struct {
	Key    []string  `json:"key"`
	Before []*string `json:"before"`
	After  []*string `json:"after,omitempty"` // nil: the row goes, or it is not known
	Same   bool      `json:"same,omitempty"`  // it holds the value already, and would not be written
	Cut    bool      `json:"cut,omitempty"`   // a value is longer than what is shown
	Error  string    `json:"error,omitempty"` // why it could not be computed, or would fail
}

// Summary is what may be kept where everybody reads it who may look at an execution.
type Summary struct {
	Backfill string    `json:"backfill"`
	Version  int64     `json:"version,omitempty"` // of a definition that is registered
	Table    string    `json:"table"`
	Kind     string    `json:"kind"`
	InTheWay []string  `json:"in_the_way"`
	Notes    []string  `json:"notes"`
	Passes   string    `json:"passes"`
	Plan     string    `json:"plan"`
	Extent   Extent    `json:"extent"`
	Estimate *Estimate `json:"estimate,omitempty"`
	Unknown  []string  `json:"unknown"`
}

// Summary leaves out what may hold a row's value.
func (p Prospect) Summary() Summary {
	return Summary{Backfill: p.Backfill, Version: p.Version, Table: p.Change.Table.String(), Kind: string(p.Change.Kind), InTheWay: p.InTheWay, Notes: p.Notes,
		Passes: p.Passes, Plan: p.Plan.Verdict, Extent: p.Extent, Estimate: p.Estimate, Unknown: p.Unknown}
}

// Checked is a definition that may run, and what Postgres says of the statements that it would send.
type Checked struct {
	Backfill  string        `json:"backfill"`
	Version   int64         `json:"version,omitempty"` // of a definition that is registered
	Change    change.Change `json:"change"`
	Estimated int64         `json:"estimated"`
	Notes     []string      `json:"notes"`
	InTheWay  []string      `json:"in_the_way"`
	Plan      Plan          `json:"plan"`
	Prepared  int           `json:"prepared"`
	Unknown   []string      `json:"unknown"`
}
