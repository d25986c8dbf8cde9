// Package signal says how a database fares: what is measured of it, and how much of that is too much.
//
// It owns the names of the signals, their units and limits, and the metrics of users beside them. It leaves measuring to probe, and what follows from a signal to
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
	Alarm         Name = "alarm" // of CloudWatch: 1 in ALARM, 0 when all is well
)

// Off is the limit of a signal that is only shown.
const Off = -1

// kind is what is known of a signal beforehand.
type kind struct {
	name  Name
	unit  string
	limit float64 // the default
	about string
}

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// kinds is the one table of signals, in the order in which people read them. The limits are where users notice, or somebody is
// woken up, on a database of a usual size.
var kinds = []kind{
	{LockWaiters, "sessions", 10, "sessions of the database that wait for a row lock, workers not counted"}, // a queue, whoever holds them
	{WaitForUs, "sessions", 2, "those of them that wait for a worker"},                                      // one that waits for a batch of 75 ms is what a batch costs
	{Active, "% of max_connections", 70, "sessions at work"},                                                // above it connections run out
	{Running, "sessions", Off, "sessions of others that compute: at work, and waiting for nothing"},         // how many processors there are is not known to Postgres
	{IOWaits, "sessions", 16, "sessions that wait for the disk"},
	{LWLockWaits, "sessions", 16, "sessions that wait for Postgres' own locks: WAL, buffers"},
	{ReplicaBytes, "bytes", 256 * mebibyte, "lag of each standby that streams"},
	{ReplicaTime, "s", 10, "lag of each standby that streams, and of each subscriber"},
	{SlotBytes, "bytes", gibibyte, "WAL that the reader of each logical slot has yet to take, or that a slot keeps for a standby that is not there"},
	{WALRate, "bytes/s", 128 * mebibyte, "WAL written by everybody"},
	{Unarchived, "bytes", gibibyte, "WAL that waits to be archived"},
	{Horizon, "s", Off, "age of the oldest transaction of the database that keeps dead rows"}, // to go slower keeps them for longer
	{Autovacuum, "workers", Off, "autovacuum at work on a run's table"},
	{TransactionID, "transactions", 1e9, "age of the oldest transaction id of the server's databases"}, // half of what there is
	{CommitTime, "ms", 250, "a small commit of the governor, with its way there and back"},
	{Alarm, "", 0, "each CloudWatch alarm of the stack's parameter AlarmArns: while it is in ALARM the rate is cut again and again"},
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

// Names lists all signals.
func Names() []Name {
	names := make([]Name, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Unit is what a signal is counted in, "" for one that is or is not.
func Unit(name Name) string {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return ""
	}
	return kinds[i].unit
}

// About is what a signal measures.
func About(name Name) string {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return ""
	}
	return kinds[i].about
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

const (
	// late is the age at which a reading counts as lost: what takes so long to read is of a time that is over. lateAlarm is that of
	// an alarm, which is not asked for as often.
	late, lateAlarm = 1, 15
)

// Fresh tells whether there is a value, of now.
func (r Reading) Fresh() bool {
	if r.Name == Alarm {
		return r.Value != nil && r.Age <= lateAlarm
	}
	return r.Value != nil && r.Age <= late
}

// Key tells readings of the same signal apart.
func (r Reading) Key() string { return strings.TrimSpace(string(r.Name) + " " + r.Of) }

// String is a reading for people: "lock_waiters 12 of 10 sessions".
func (r Reading) String() string {
	if r.Name == Alarm {
		return r.alarm()
	}
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
	return strings.TrimSpace(text + " " + r.Unit)
}

func (r Reading) alarm() string {
	switch {
	case r.Value == nil:
		return r.Key() + ": " + r.Missing
	case *r.Value > 0:
		return r.Key() + " is ALARM"
	}
	return r.Key() + " is OK"
}

// amount writes a number with as many digits as say something.
func amount(value float64) string {
	if value < 100 && value != math.Trunc(value) {
		return fmt.Sprintf("%.1f", value)
	}
	return figure.Count(int64(math.Round(value)))
}
