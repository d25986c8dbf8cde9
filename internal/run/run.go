// Package run owns one execution of a backfill: its states, and the status that people and scripts read.
//
// It leaves storing to ledger (Postgres: the truth about data) and records (DynamoDB: orchestration). Invariants:
// a state changes only along the table in states.go; the JSON names of Status are fixed, scripts rely on them.
package run

import (
	"strings"
	"time"

	"backfill/internal/signal"
)

// Status is what `backfill status` shows and `-o json` prints.
type Status struct {
	Run         string     `json:"run"`
	Backfill    string     `json:"backfill"`
	Version     int64      `json:"version,omitempty"`  // of the definition that was registered; 0: it was compiled in, or came with the request
	Database    string     `json:"database,omitempty"` // of the stack, as definitions name it; "": its own
	Action      string     `json:"action"`
	State       State      `json:"state"`
	Reason      string     `json:"reason"`
	Table       string     `json:"table"`
	Kind        string     `json:"kind,omitempty"` // a change.Kind; "": of a run that began before there was another than set
	Chunks      Chunks     `json:"chunks"`
	Rows        Rows       `json:"rows"`
	Rate        float64    `json:"rate"`        // rows handled per second, smoothed over half a minute
	Average     float64    `json:"average"`     // the same over the time that the run has gone on without a break, 20 minutes at most
	Concurrency int64      `json:"concurrency"` // leases that live now
	Throttle    Throttle   `json:"throttle"`
	Undo        Undo       `json:"undo"`
	Striping    Striping   `json:"striping"`
	Pause       *Pause     `json:"pause"`    // null: it is not paused
	Changes     []Change   `json:"changes"`  // the last ones, the newest last
	Failures    []Failure  `json:"failures"` // the chunks that are FAILED, the newest first, three at most
	StartedAt   time.Time  `json:"started_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	EndedAt     *time.Time `json:"ended_at"`
	ETA         *time.Time `json:"eta"`
	ETASpread   *Spread    `json:"eta_spread"` // null: nothing is known of it
	// Certificate is that of the last verification; null: there is none, or the run went on since.
	Certificate *Certificate `json:"certificate,omitempty"`
	// Canary is how the run begins with some of its chunks; null: it does not.
	Canary *Canary `json:"canary,omitempty"`
}

// Spread is between when a run ends at its present speed, and when at its average.
type Spread struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Chunks counts chunks by state. Total is the number planned so far; Planned tells whether that is all of them.
type Chunks struct {
	Total      int64 `json:"total"`
	Pending    int64 `json:"pending"`
	Processing int64 `json:"processing"`
	Completed  int64 `json:"completed"`
	Failed     int64 `json:"failed"`
	RolledBack int64 `json:"rolled_back"`
	Retries    int64 `json:"retries"`         // claims of chunks whose worker before has died, or has met an error: what was given back on purpose is none
	Begun      int64 `json:"begun,omitempty"` // of those that are pending: some of their rows are done
	AllPlanned bool  `json:"all_planned"`
}

// Rows counts rows as committed in the ledger; Estimated is the catalog's figure at the start.
type Rows struct {
	Estimated int64 `json:"estimated"`
	Scanned   int64 `json:"scanned"`
	Affected  int64 `json:"affected"`
	Rejected  int64 `json:"rejected"`            // passed over, since they do not allow the change
	Restored  int64 `json:"restored"`            // by a rollback
	Conflicts int64 `json:"conflicts"`           // left alone by a rollback: they no longer held what the run wrote
	Verified  int64 `json:"verified,omitempty"`  // looked at by the last verification
	Deviating int64 `json:"deviating,omitempty"` // of them those that did not hold what they should
	Mended    int64 `json:"mended,omitempty"`    // of them written again
}

// Handled counts what the run has dealt with, forward and back, and looked at once more.
func (r Rows) Handled() int64 { return r.Scanned + r.Restored + r.Conflicts + r.Verified }

// Undo is what the run keeps to be rolled back.
type Undo struct {
	Bytes   int64      `json:"bytes"`    // as stored in Postgres, of chunks that were completed and are not rolled back
	SweptAt *time.Time `json:"swept_at"` // since then nothing is kept, and the run cannot be rolled back
}

// Striping says how chunks are gone over.
type Striping struct {
	Chunks int64  `json:"chunks"` // gone over in passes
	Reason string `json:"reason"` // of the newest chunk; "": not decided yet
}

// Pause says since when a run is paused, and who paused it; why is the run's reason.
type Pause struct {
	Since time.Time  `json:"since"`
	By    string     `json:"by"` // "": nobody said
	For   For        `json:"for"`
	Until *time.Time `json:"until"` // null: until somebody lets it go on
}

// Change is one line of a run's log.
type Change struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`     // "": nobody said
	State  State     `json:"state"`  // that the run came to; "": something else was changed
	Detail string    `json:"detail"` // the reason, or what was changed
}

// Failure is a chunk that has failed.
type Failure struct {
	Chunk  int64     `json:"chunk"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// For is what a pause was meant for. What was meant for the run itself is not lifted with what was meant for all.
type For string

// The kinds of pauses.
const (
	ForRun For = "run" // a person named the run
	ForAll For = "all" // a person paused every run of the stack
	// ForWindow is a pause until the next window of the run's definition.
	ForWindow For = "window"
	// ForFailure is a pause since a chunk failed, as the run's definition has it (on_failure: pause).
	ForFailure For = "failure"
	// ForCanary is a pause since the canary has come to its end, until a person approves.
	ForCanary For = "canary"
)

// Throttle says why the run has the speed that it has.
type Throttle struct {
	Reason  string           `json:"reason"`
	Rate    *float64         `json:"rate"`               // rows/s of all runs of the database, as its signals allow; null: no limit
	WAL     *float64         `json:"wal_rate,omitempty"` // rows/s that the limit of WAL allows; null: there is none
	Limits  Limits           `json:"limits"`             // that persons have set
	Workers Workers          `json:"workers,omitzero"`
	Signals []signal.Reading `json:"signals,omitempty"`
}

// Limits are what persons have set. Rates are in rows/s, of keys that are looked at; null: none.
type Limits struct {
	Rate       *float64 `json:"rate"`   // of the run
	Weight     float64  `json:"weight"` // of the run beside the others of its database
	By         string   `json:"by,omitempty"`
	Database   *float64 `json:"database"` // of all runs of the database together
	DatabaseBy string   `json:"database_by,omitempty"`
	// How many chunks may be at work at a time.
	Workers         *int64   `json:"workers,omitempty"`          // of the run
	DatabaseWorkers *int64   `json:"database_workers,omitempty"` // of all runs of the database together
	DatabaseWAL     *float64 `json:"database_wal,omitempty"`     // bytes/s of WAL of the server, while runs work
	// In place of what the definition says.
	Signals     signal.Limits `json:"signals,omitempty"`      // limits of signals, below 0: off
	ErrorBudget *int64        `json:"error_budget,omitempty"` // null: as in the definition
}

// Workers is how many chunks of a run may be at work at a time, and why not more.
type Workers struct {
	Most   int64  `json:"most"` // 0: nobody has told yet
	Reason string `json:"reason"`
}

// Slots is the limit of workers that is met first; ceiling is that of the stack, and useful what the rate has use for, nil: it has no limit.
func (l Limits) Slots(ceiling int64, useful *int64) Workers {
	least := Workers{ceiling, "ceiling of the stack"}
	for _, limit := range []struct {
		most *int64
		why  string
	}{
		{l.DatabaseWorkers, "for all runs of the database" + by(l.DatabaseBy)}, {l.Workers, "for this run" + by(l.By)},
		{useful, "the rate has no use for more"},
	} {
		if limit.most != nil && *limit.most < least.Most {
			least = Workers{*limit.most, limit.why}
		}
	}
	return least
}

// LookAhead is how many chunks should wait for a worker, at most so many: where few may work, few wait, as each that finds no slot
// has cost an invocation.
func (l Limits) LookAhead(most int64) int64 {
	for _, workers := range []*int64{l.Workers, l.DatabaseWorkers} {
		if workers != nil {
			most = min(most, 2**workers+2)
		}
	}
	return most
}

// Least is the limit that is met first, and whose it is; nil: there is none.
func (l Limits) Least() (rate *float64, whose string) {
	if l.Rate != nil && (l.Database == nil || *l.Rate <= *l.Database) {
		return l.Rate, "for this run" + by(l.By)
	}
	if l.Database != nil {
		return l.Database, strings.TrimSpace(l.ForAll())
	}
	return nil, ""
}

// ForAll says whose a limit of the database is.
func (l Limits) ForAll() string { return " for all runs of the database" + by(l.DatabaseBy) }

func by(who string) string {
	if who == "" {
		return ""
	}
	return " (set by " + who + ")"
}
