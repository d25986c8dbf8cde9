package run

import "time"

// Unverified begins the reason of a run whose verification did not come to its end.
const Unverified = "not verified: "

// Certificate is what a verification that came to its end says of a run.
type Certificate struct {
	At         time.Time `json:"at"`
	Backfill   string    `json:"backfill"`
	Definition string    `json:"definition"` // SHA-256 of the definition that was stored with the run
	Holds      bool      `json:"holds"`      // all that was asked was answered well
	Tiled      bool      `json:"tiled"`      // the finished ranges tile the key space up to the bound
	Chunks     int64     `json:"chunks"`     // of the run
	RolledBack int64     `json:"rolled_back,omitempty"`
	// Values is what the rows have shown; null: they were not looked at, and Unfit says why.
	Values    *Values    `json:"values"`
	Unfit     string     `json:"unfit,omitempty"`
	Left      *bool      `json:"left,omitempty"`      // of a deletion: a row in scope is left; null: not asked
	Invariant *Invariant `json:"invariant,omitempty"` // null: the definition has none
	SQL       []string   `json:"sql,omitempty"`       // that a migration can rely on
}

// Values is what a look at every row up to the bound has shown.
type Values struct {
	Chunks    int64  `json:"chunks"` // looked at
	Rows      int64  `json:"rows"`
	InScope   int64  `json:"in_scope"`
	Deviating int64  `json:"deviating"` // that did not hold what they should
	Mended    int64  `json:"mended"`    // of them written again
	Wrote     bool   `json:"wrote"`     // they were to be
	Digest    string `json:"digest"`    // sum of those of the chunks
}

// Invariant is the answer to a definition's query.
type Invariant struct {
	Query string   `json:"query"`
	Holds bool     `json:"holds"`
	Rows  *float64 `json:"rows,omitempty"`  // that break it, where it counts them
	Error string   `json:"error,omitempty"` // why there is no answer
}
