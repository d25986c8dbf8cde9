// Package gauge gives the figures of the functions to CloudWatch: as lines of the log in its embedded metric format, out of which
// CloudWatch makes metrics. So no function calls CloudWatch, and none needs a right for it.
//
// It owns the names of the figures, their units and dimensions, and the form of a line. It leaves to its callers what they count, and how
// often: a line for each chunk that is left and for each beat, never for a batch. Invariants: every dimension has few values, so a run and
// a chunk are in the line for those who search the log, and are no dimensions; a line holds counts, times and names, never a value of a row.
package gauge

// Unit is one of CloudWatch's.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	PerSecond    Unit = "Count/Second"
	Percent      Unit = "Percent"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
)

// Gauge is one figure: the name of a metric.
type Gauge struct {
	Name string
	Unit Unit
}

// What a worker tells of a delivery.
var (
	RowsHandled     = Gauge{"RowsHandled", Count} // keys looked at, forward, back, or once more
	RowsWritten     = Gauge{"RowsWritten", Count}
	Batches         = Gauge{"Batches", Count}
	BatchTime       = Gauge{"BatchTime", Milliseconds}
	BatchFailures   = Gauge{"BatchFailures", Count} // tried again, or the end of the chunk
	LockWaits       = Gauge{"LockWaits", Count}     // batches that gave up waiting for a lock
	ChunksCompleted = Gauge{"ChunksCompleted", Count}
	ChunksGivenBack = Gauge{"ChunksGivenBack", Count}
	ChunksFailed    = Gauge{"ChunksFailed", Count}
	NoWork          = Gauge{"DeliveriesWithoutWork", Count}
	Unwatched       = Gauge{"DeliveriesUnwatched", Count} // the run's governor is silent
	NotConsumed     = Gauge{"DeliveriesFailed", Count}    // the message comes again; Lambda counts no error for it
)

// What a governor tells of a beat.
var (
	Progress      = Gauge{"Progress", Percent} // of the chunks, once all of them are planned
	Rate          = Gauge{"Rate", PerSecond}
	RateAllowed   = Gauge{"RateAllowed", PerSecond}
	Workers       = Gauge{"Workers", Count}
	ChunksWaiting = Gauge{"ChunksWaiting", Count}
	Slowed        = Gauge{"Slowed", Count} // by what the dimension Reason says
	Stalled       = Gauge{"RunsStalled", Count}
	LeasesExpired = Gauge{"LeasesExpired", Count}
	DeadLetters   = Gauge{"DeadLetters", Count}
	LockWaiters   = Gauge{"LockWaiters", Count}
	ReplicaLag    = Gauge{"ReplicaLag", Seconds} // of the standby that is furthest behind
	SnapshotAge   = Gauge{"OldestSnapshot", Seconds}
	CommitTime    = Gauge{"CommitTime", Milliseconds}
)

// What is told of a run that has ended, by whoever ends it.
var (
	RunsCompleted  = Gauge{"RunsCompleted", Count}
	RunsFailed     = Gauge{"RunsFailed", Count}
	RunsCancelled  = Gauge{"RunsCancelled", Count}
	RunsRolledBack = Gauge{"RunsRolledBack", Count}
)

// All lists every figure.
func All() []Gauge {
	return []Gauge{RowsHandled, RowsWritten, Batches, BatchTime, BatchFailures, LockWaits, ChunksCompleted, ChunksGivenBack, ChunksFailed, NoWork,
		Unwatched, NotConsumed, Progress, Rate, RateAllowed, Workers, ChunksWaiting, Slowed, Stalled, LeasesExpired, DeadLetters, LockWaiters, ReplicaLag,
		SnapshotAge, CommitTime, RunsCompleted, RunsFailed, RunsCancelled, RunsRolledBack}
}

// Figures are values by gauge. More than 100 values of one are thinned out: see Sample.
type Figures map[Gauge][]float64

// One is a single value.
func One(value float64) []float64 { return []float64{value} }

// If is 1 or 0, so that a metric says that nothing happened as well.
func If(yes bool) []float64 {
	if yes {
		return One(1)
	}
	return One(0)
}

// Whole is a count.
func Whole(n int64) []float64 { return One(float64(n)) }
