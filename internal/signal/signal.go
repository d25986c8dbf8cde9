// Package signal says how a database fares: what is measured of it, and how much of that is too much.
//
// It owns the names of the signals, their units and limits. It leaves measuring to probe, and what follows from a signal to
// throttle. Invariants: every name has a unit; a signal that has no limit is shown, and nothing follows from it; a reading
// without a value is missing, never zero.
package signal

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"backfill/internal/figure"
)

// Name is what is measured.
type Name string

// The signals.
const (
	LockWaiters   Name = "lock_waiters"
	WaitForUs     Name = "waiting_for_backfill"
	Active        Name = "active_sessions"
	Running       Name = "running_sessions"
	IOWaits       Name = "io_waits"
	LWLockWaits   Name = "lwlock_waits"
	ReplicaBytes  Name = "replica_lag_bytes"
	ReplicaTime   Name = "replica_lag_seconds"
	SlotBytes     Name = "slot_lag_bytes"
	WALRate       Name = "wal_bytes_per_second"
	Unarchived    Name = "unarchived_wal_bytes"
	Horizon       Name = "oldest_snapshot_seconds"
	Autovacuum    Name = "autovacuum_on_table"
	TransactionID Name = "transaction_id_age"
	CommitTime    Name = "commit_milliseconds"
)

// Off is the limit of a signal that is only shown.
const Off = -1

// kind is what is known of a signal beforehand.
type kind struct {
	name  Name
	unit  string
	limit float64 // the default
}

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// kinds is the one table of signals, in the order in which people read them. The limits are where users notice, or somebody is
// woken up, on a database of a usual size.
var kinds = []kind{
	{LockWaiters, "sessions", 10},        // a queue at row locks, whoever holds them
	{WaitForUs, "sessions", 2},           // one user that waits for a batch of 75 ms is what a batch costs
	{Active, "% of max_connections", 70}, // above it connections run out
	{Running, "sessions", Off},           // how many processors there are is not known to Postgres
	{IOWaits, "sessions", 16},            // the disk has a queue
	{LWLockWaits, "sessions", 16},        // WAL or buffers are fought for
	{ReplicaBytes, "bytes", 256 * mebibyte},
	{ReplicaTime, "s", 10},
	{SlotBytes, "bytes", gibibyte}, // the slot keeps WAL on the disk
	{WALRate, "bytes/s", 128 * mebibyte},
	{Unarchived, "bytes", gibibyte},
	{Horizon, "s", Off}, // dead rows stay, but to go slower keeps them for longer
	{Autovacuum, "workers", Off},
	{TransactionID, "transactions", 1e9}, // half of what there is
	{CommitTime, "ms", 250},
}

// Reading is a signal as it was measured.
type Reading struct {
	Name    Name     `json:"name"`
	Of      string   `json:"of,omitempty"` // the standby or slot
	Value   *float64 `json:"value"`        // null: it is missing
	Limit   *float64 `json:"limit"`        // null: it is only shown
	Unit    string   `json:"unit"`
	Age     float64  `json:"age"`               // seconds since it was measured
	Missing string   `json:"missing,omitempty"` // why
}

// Limits are the limits of some signals, below 0: it is only shown. The others have their defaults.
type Limits map[Name]float64

func (l Limits) of(k kind) float64 {
	if limit, set := l[k.name]; set {
		return limit
	}
	return k.limit
}

// Strictest are the limits that keep each of them.
func Strictest(all ...Limits) Limits {
	least := Limits{}
	for _, k := range kinds {
		for _, one := range all {
			limit := one.of(k)
			if before, set := least[k.name]; !set || before < 0 || limit >= 0 && limit < before {
				least[k.name] = limit
			}
		}
	}
	return least
}

// Names lists all signals.
func Names() []Name {
	names := make([]Name, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Read makes a reading, by the limits that are given and else the defaults. A signal that is not known is left out.
func (l Limits) Read(name Name, of string, value *float64) (Reading, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return Reading{}, false
	}
	r := Reading{Name: name, Of: of, Value: value, Unit: kinds[i].unit}
	if limit := l.of(kinds[i]); limit >= 0 {
		r.Limit = &limit
	}
	return r, true
}

// Pressure is the value in parts of its limit; 0 where one of the two is not there.
func (r Reading) Pressure() float64 {
	if r.Value == nil || r.Limit == nil || math.IsNaN(*r.Value) {
		return 0
	}
	if *r.Limit <= 0 { // none of it is wanted
		return *r.Value * 2
	}
	return *r.Value / *r.Limit
}

// Key tells readings of the same signal apart.
func (r Reading) Key() string { return strings.TrimSpace(string(r.Name) + " " + r.Of) }

// String is a reading for people: "lock_waiters 12 of 10 sessions".
func (r Reading) String() string {
	text := string(r.Name)
	if r.Of != "" {
		text += " of " + r.Of
	}
	if r.Value == nil {
		return text + ": " + r.Missing
	}
	text += " " + amount(*r.Value)
	if r.Limit != nil {
		text += " of " + amount(*r.Limit)
	}
	return text + " " + r.Unit
}

// amount writes a number with as many digits as say something.
func amount(value float64) string {
	if value < 100 && value != math.Trunc(value) {
		return fmt.Sprintf("%.1f", value)
	}
	return figure.Count(int64(math.Round(value)))
}
