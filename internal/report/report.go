// Package report tells what became of a run, in one file: how it went over time, what was decided, its chunks, failures, cost, and
// what was foretold.
//
// It owns what a report holds, what follows from it, and the page. It leaves reading to ledger, and counting what AWS was asked to
// bill. Invariants: no value of a row is in it; every list is bounded, so a report stays below 256 KB of JSON whatever
// the run was; the page refers to nothing outside of it, and each picture has its figures in words and in a table.
package report

import (
	"math"
	"time"

	"backfill/internal/bill"
	"backfill/internal/run"
)

// What a report holds at most.
const (
	MostPoints   = 300
	MostLines    = 100
	MostCells    = 240
	MostFailures = 50
	MostStates   = 50  // SQLSTATEs of rejects
	MostText     = 300 // characters of a line, or of why a chunk failed
	MostReason   = 160 // characters of why it was not faster, at each point
	MostKey      = 60  // characters of a boundary
)

// Facts is what Postgres holds of a run.
type Facts struct {
	Now       time.Time
	StartedAt time.Time
	EndedAt   *time.Time // nil: it goes on
	Points    []Point
	Log       Log
	Cells     []Cell
	Failures  Failures
	Rejects   []Rejects
	Worked    float64 // seconds of all workers
}

// Point is how the run stood at a moment. Sums are from its start on.
type Point struct {
	At      time.Time  `json:"at"`
	State   run.State  `json:"state"`
	Handled int64      `json:"handled"`
	Looked  int64      `json:"looked,omitempty"` // at once more, by the verification that goes on: each begins from 0
	Written int64      `json:"written"`
	Done    int64      `json:"chunks_done"`
	Failed  int64      `json:"chunks_failed"`
	Workers int64      `json:"workers"`
	Allowed *float64   `json:"allowed"`          // rows/s of all runs of the database; null: no limit
	Reason  string     `json:"reason,omitempty"` // why it was not faster; "": as at the point before
	EndsAt  *time.Time `json:"ends_at"`          // as was estimated then; null: not known
}

// Log is what was decided and repaired, the newest last.
type Log struct {
	Lines  []run.Change `json:"lines"`
	Before int64        `json:"before"` // older lines that are left out
}

// Cell is a stretch of the key space: one chunk, or neighbours where there are many.
type Cell struct {
	First     int64   `json:"first"` // number of a chunk
	Last      int64   `json:"last"`
	Keys      string  `json:"keys"` // (after, up to]; "": not known
	Done      int64   `json:"done"`
	Failed    int64   `json:"failed"`
	Claimed   int64   `json:"claimed"` // chunks that a worker has ever come to
	Attempts  int64   `json:"attempts"`
	Most      int64   `json:"most_attempts"` // of one chunk
	Seconds   float64 `json:"seconds"`       // of workers
	Longest   float64 `json:"longest"`       // of one chunk
	Rejected  int64   `json:"rejected"`
	Conflicts int64   `json:"conflicts"`
}

// Chunks of the cell.
func (c Cell) Chunks() int64 { return c.Last - c.First + 1 }

// Failures are the chunks that have failed, the newest first.
type Failures struct {
	Count  int64         `json:"count"`
	Newest []run.Failure `json:"newest"`
}

// Rejects are rows that were passed over for the same reason.
type Rejects struct {
	SQLState string `json:"sqlstate"`
	Rows     int64  `json:"rows"`
	Chunks   int64  `json:"chunks"`
}

// Times say where the time went, in seconds.
type Times struct {
	Whole   float64 `json:"whole"`
	Moving  float64 `json:"moving"`  // neither paused nor ended
	Workers float64 `json:"workers"` // of all workers together
}

// Report is the whole.
type Report struct {
	Run       string      `json:"run"`
	Backfill  string      `json:"backfill"`
	Database  string      `json:"database,omitempty"` // "": the stack's own
	Version   int64       `json:"version,omitempty"`
	Action    string      `json:"action"`
	State     run.State   `json:"state"`
	Reason    string      `json:"reason"`
	Table     string      `json:"table"`
	Kind      string      `json:"kind"`
	MadeAt    time.Time   `json:"made_at"`
	StartedAt time.Time   `json:"started_at"`
	EndedAt   *time.Time  `json:"ended_at"`
	Times     Times       `json:"seconds"`
	Rows      run.Rows    `json:"rows"`
	Chunks    run.Chunks  `json:"chunks"`
	Undo      run.Undo    `json:"undo"`
	Points    []Point     `json:"points"`
	Log       Log         `json:"log"`
	Canary    *run.Canary `json:"canary"`
	Cells     []Cell      `json:"cells"`
	Failures  Failures    `json:"failures"`
	Rejects   []Rejects   `json:"rejects"`
	Foretold  []Foretold  `json:"foretold"`
	Cost      Cost        `json:"cost"`
}

// New puts a report together from the status of a run and the facts.
func New(s run.Status, f Facts) Report {
	r := Report{
		Run: s.Run, Backfill: s.Backfill, Database: s.Database, Version: s.Version, Action: s.Action, State: s.State, Reason: s.Reason, Table: s.Table, Kind: s.Kind,
		MadeAt: f.Now.UTC(), StartedAt: f.StartedAt.UTC(), EndedAt: f.EndedAt, Rows: s.Rows, Chunks: s.Chunks, Undo: s.Undo, Canary: s.Canary,
		Points: terse(f.Points), Log: f.Log, Cells: f.Cells, Failures: f.Failures, Rejects: f.Rejects,
	}
	until := r.until()
	r.Times = Times{Whole: round(until.Sub(r.StartedAt).Seconds()), Moving: round(moving(f.Points, r.StartedAt, until)), Workers: round(f.Worked)}
	r.Foretold = r.foretold()
	r.Cost = cost(bill.Measured(s.Chunks.Total, s.Chunks.Retries, r.Times.Moving, r.Times.Workers))
	return r
}

// until is the end of the run, or now.
func (r Report) until() time.Time {
	if r.EndedAt != nil {
		return *r.EndedAt
	}
	return r.MadeAt
}

// terse leaves out reasons that are as before.
func terse(points []Point) []Point {
	told, before := make([]Point, len(points)), ""
	for i, p := range points {
		told[i] = p
		if p.Reason == before {
			told[i].Reason = ""
		}
		before = p.Reason
	}
	return told
}

// moving is the time from one moment to another in which the run was neither paused nor ended. Before the first point nobody knows: it is
// taken that it moved.
func moving(points []Point, from, to time.Time) float64 {
	at, moves, seconds := from, true, 0.
	for _, p := range points {
		if next := earlier(p.At, to); next.After(at) {
			if moves {
				seconds += next.Sub(at).Seconds()
			}
			at = next
		}
		moves = p.State.Moves()
	}
	if moves && to.After(at) {
		seconds += to.Sub(at).Seconds()
	}
	return seconds
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func round(seconds float64) float64 { return math.Round(seconds*10) / 10 }
