// Package turn owns what travels round the state machines, from planner to governor and back.
//
// It owns the JSON names and the values of next, which infra/statemachine/*.json match on (a test holds them together). Invariant: a turn
// without a dry run is far below the 256 kB that a state may have, whatever reason somebody has given: nothing in it grows with a run.
package turn

import (
	"encoding/json"

	"backfill/internal/prospect"
	"backfill/internal/run"
)

// Next is what the state machine does next.
type Next string

// The values of Next.
const (
	Plan    Next = "plan"    // the look-ahead is low: call the planner
	Beat    Next = "beat"    // call the governor
	Segment Next = "segment" // the budget of beats is used up: go on in a new child execution
	Pause   Next = "pause"   // the run is paused: wait until somebody lets it go on, or its window opens
	End     Next = "end"     // the run has ended
	Skip    Next = "skip"    // there is no run: another holds the table, and the definition says to pass over such a start
	Dry     Next = "dry_run" // there is no run: what one would do was asked
)

// Longest is how long a pause may wait for a word, in seconds: an execution lasts no longer than a year.
const Longest = 365 * 24 * 60 * 60

// Turn is the input and the output of planner and governor, inside of a segment.
type Turn struct {
	Run     string    `json:"run"`
	State   run.State `json:"state"`
	Reason  string    `json:"reason"`
	Beat    int       `json:"beat"`   // beats made in this segment
	Budget  int       `json:"budget"` // beats after which a new segment begins
	Next    Next      `json:"next"`
	Wait    int64     `json:"wait,omitempty"`    // pause: seconds after which a beat looks again, if nobody has said a word
	Segment string    `json:"segment,omitempty"` // ARN of the child execution, on the way in
	Notice  string    `json:"notice,omitempty"`  // what people are told; "": nothing. At an end there is always something

	// DryRun answers a dry run. It has no value of a row: Step Functions keeps it.
	DryRun *prospect.Summary `json:"dry_run,omitempty"`
}

// MarshalJSON leaves out the end of a reason that is very long.
func (t Turn) MarshalJSON() ([]byte, error) {
	type plain Turn
	t.Reason = run.Brief(t.Reason)
	return json.Marshal(plain(t))
}
