// Package contender holds the ways to change a table that the benchmark compares.
//
// Each way is a file. It owns what each does, and leaves the table to ground, measuring to meter, and the order to
// contest. Invariant: what is done outside of a leg's Work is what its user would have done long before, or afterwards.
package contender

import (
	"context"

	"backfill/infra/bench/ground"
)

// Contender is one way to change the table.
type Contender struct {
	Name     string
	Why      string
	Deployed bool // it is the deployed stack, and works on its database
	Workers  int  // at a time; 0: that is not for the benchmark to say
	Enter    Entrance
	crew     func(workers int) Entrance // of the product's worker code
}

// Entrance prepares a table, and gives what is to be done to it in this order.
type Entrance func(ctx context.Context, table *ground.Table) ([]Leg, error)

// Crews are the contender with each number of workers; itself, where it has none.
func (c Contender) Crews(workers []int) (all []Contender) {
	if c.crew == nil {
		return []Contender{c}
	}
	for _, n := range workers {
		crew := c
		crew.Workers, crew.Enter = n, c.crew(n)
		all = append(all, crew)
	}
	return all
}

// Leg is one piece of work that is measured.
type Leg struct {
	Name  string
	Work  func(ctx context.Context) error
	Notes func(ctx context.Context) (Notes, error) // what no counter of the server tells; nil: nothing
	Same  bool                                     // there is no row to write
	Back  bool                                     // afterwards the table holds what it held before
}

// Notes of a leg.
type Notes struct {
	Undo    int64    `json:"undo_bytes,omitempty"`          // as stored
	First   float64  `json:"first_chunk_seconds,omitempty"` // to the first chunk: that a worker could take; of the deployed stack, that one took
	Batches *Batches `json:"batches,omitempty"`             // of workers
	Plane   *Plane   `json:"plane,omitempty"`               // of the deployed stack
}

// Names of legs, as the report prints them.
const (
	Single   = "one UPDATE"
	Loop     = "loop"
	Pgroll   = "pgroll"
	Direct   = "worker, no undo"
	Again    = "worker, once more"
	Plain    = "worker, no passes, no undo"
	Undo     = "worker, undo"
	Rollback = "worker, rollback"
	Deployed = "pipeline, no undo"
	Kept     = "pipeline, undo"
	Restored = "pipeline, rollback"
	Idle     = "nothing"
	Walk     = "bare cursor walk"
	Cut      = "planner, its cuts"
	Start    = "planner, a start"
)

// All there are. Each is compared with the first.
var All = []Contender{
	{Name: "update", Why: "one UPDATE of the whole table", Enter: single},
	{Name: "loop", Why: "the loop that people write: 1,000 keys a transaction, one connection", Enter: loop},
	{Name: "pgroll", Why: "pgroll's statements: 1,000 rows a transaction, one connection, the value set by a trigger", Enter: pgroll},
	{Name: "direct", Why: "the product's worker code, called directly, undo off; then once more", crew: direct},
	{Name: "plain", Why: "the same without passes: batch after batch in the order of the keys", crew: plain},
	{Name: "undo", Why: "the product's worker code with undo; then its rollback", crew: undo},
	{Name: "walk", Why: "where chunks end, by MOVE and FETCH in one transaction, on one connection", Enter: walk},
	{Name: "planner", Why: "the product's planner: its cuts alone; then a whole start without AWS", Enter: plan},
	{Name: "pipeline", Why: "the deployed stack, undo off", Deployed: true, Enter: pipeline(false)},
	{Name: "pipeline-undo", Why: "the deployed stack with undo; then its rollback", Deployed: true, Enter: pipeline(true)},
}
