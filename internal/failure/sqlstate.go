package failure

import (
	"maps"
	"slices"
	"strings"
)

// SQLSTATEs that the schema "backfill" raises itself (ledger.advance). The class "BF" is not used by Postgres.
const (
	// StaleFence: fence or seq are not as expected, so another worker has claimed the chunk or the batch is done.
	StaleFence = "BF001"
	// RunNotRunning: the run was cancelled, paused or has ended.
	RunNotRunning = "BF002"
	// HeartbeatStale: nobody watches the run; workers stop by themselves.
	HeartbeatStale = "BF003"
	// RowsChanged: users changed rows of a batch between being found and being written.
	RowsChanged = "BF004"
	// BudgetSpent: one more row does not allow the change than the run's error budget has room for.
	BudgetSpent = "BF005"
	// ColumnAdded: the table has a column that undo would not keep.
	ColumnAdded = "BF006"
)

// RowRefused is no SQLSTATE that Postgres raises: a Go function did not allow the change of a row (kind transform).
const RowRefused = "BFT01"

// QueryCanceled is what Postgres raises where a statement took longer than statement_timeout.
const QueryCanceled = "57014"

// LockNotAvailable is what Postgres raises when a statement has waited for a lock for as long as it may.
const LockNotAvailable = "55P03"

// displaced are the errors of data that say that a row has no place beside what is in the tables now: what it refers to is gone, another
// row has what has to be unique, or, where a row is to go, another one refers to it (23001 is RESTRICT from Postgres 18 on).
var displaced = []string{"23001", "23503", "23505", "23P01"}

// Displaced tells whether an error is about the place of a row among others. Any other error of data comes from the table's own
// rules, and every row may meet it.
func Displaced(code string) bool { return slices.Contains(displaced, code) }

// sqlstates is the one table from SQLSTATE to class. A longer prefix wins over a shorter one.
// Source: PostgreSQL documentation, appendix A; see docs/architecture.md for the reasons.
var sqlstates = map[string]Class{
	StaleFence:     LeaseLost,
	RunNotRunning:  LeaseLost,
	HeartbeatStale: LeaseLost,
	RowsChanged:    Transient,
	BudgetSpent:    Permanent,
	ColumnAdded:    Permanent,

	"08":          Unknown,   // connection exception: a commit may have happened
	"21000":       Data,      // cardinality violation: a subquery, or a join, has more than one row for this one
	"22":          Data,      // data exception: cast, overflow, division by zero
	"23":          Data,      // constraint violation
	"26000":       Unknown,   // a prepared statement is gone: a pooler has changed the connection behind ours; another one helps
	"42P05":       Unknown,   // or is there already, of somebody else
	"25006":       Transient, // read only transaction: a failover is under way
	"25P03":       Transient, // the server ended a transaction, and the connection, that rested for too long
	"25P04":       Transient, // or that lasted for too long (transaction_timeout, from Postgres 17 on)
	"40":          Transient, // rollback: serialization failure, deadlock
	"40003":       Unknown,   // statement completion unknown
	"44":          Data,      // WITH CHECK OPTION violation
	"53":          Transient, // insufficient resources: disk, memory, connections
	"55P03":       Transient, // lock not available: lock_timeout
	"55006":       Transient, // object in use
	QueryCanceled: Transient,
	"57P":         Unknown,   // operator intervention: shutdown, crash, failover
	"57P04":       Permanent, // database dropped
	"58":          Transient, // system error: I/O
}

// SQLStates lists what the table has, codes and prefixes of codes, for tests that hold it against Postgres.
func SQLStates() []string { return slices.Sorted(maps.Keys(sqlstates)) }

// FromSQLState gives the class of a five character SQLSTATE. What is not in the table is Permanent.
func FromSQLState(code string) Class {
	for length := len(code); length >= 2; length-- {
		if class, ok := sqlstates[strings.ToUpper(code[:length])]; ok {
			return class
		}
	}
	return Permanent
}
