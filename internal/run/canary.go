package run

import (
	"strconv"
	"time"
)

// Canary is how a run begins with some of its chunks, and waits with the others until a person approves.
type Canary struct {
	Share    string    `json:"share"`             // of the chunks, as "1%"; "": it was approved
	Held     int64     `json:"held"`              // chunks that wait for the approval
	Looking  int64     `json:"looking,omitempty"` // chunks that are done, and whose rows are looked at before the run waits
	Approved bool      `json:"approved"`          // all are worked on now
	Forecast *Forecast `json:"forecast"`          // null: the canary has not come to its end
}

// Share writes millionths as a percentage.
func Share(millionths int64) string {
	if millionths == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(millionths)/1e4, 'f', -1, 64) + "%"
}

// Forecast is what a canary has taken, and what the rest will take if it is like it.
type Forecast struct {
	At      time.Time `json:"at"`
	Share   string    `json:"share"`
	Chunks  int64     `json:"chunks"` // that were worked on
	Failed  int64     `json:"failed"` // of them those that have failed
	Keys    int64     `json:"keys"`   // that they looked at
	Written int64     `json:"written"`
	Left    Left      `json:"left"`
	// Null: not known; Basis says why, and what the others rest on.
	Rows    *Range   `json:"rows"` // to be written
	Seconds *Range   `json:"seconds"`
	WAL     *Range   `json:"wal_bytes"`
	Growth  *Range   `json:"growth_bytes"` // of tables and indexes
	Basis   []string `json:"basis"`
	// Verified is what became of the canary's rows; null: they cannot be verified by value, and Unfit says why.
	Verified *Checked `json:"verified"`
	Unfit    string   `json:"unfit,omitempty"`
}

// Left is what the canary leaves to do.
type Left struct {
	Chunks int64 `json:"chunks"`
	Keys   int64 `json:"keys"`
}

// Range is a figure with its bounds.
type Range struct {
	Value int64 `json:"value"`
	From  int64 `json:"from"`
	To    int64 `json:"to"`
}

// Checked is what a look at the rows of the canary has found.
type Checked struct {
	Rows      int64 `json:"rows"` // in scope
	Deviating int64 `json:"deviating"`
}
