package chunk

import "backfill/internal/transition"

// State is where a chunk stands.
type State string

// The states of a chunk.
const (
	Pending    State = "PENDING"     // planned, or given back in order; nobody works on it
	Processing State = "PROCESSING"  // a worker holds its lease
	Completed  State = "COMPLETED"   // every batch is committed
	Failed     State = "FAILED"      // stopped with a reason; a person decides
	RolledBack State = "ROLLED_BACK" // what it wrote is taken back
)

// States lists every state of a chunk.
func States() []State { return []State{Pending, Processing, Completed, Failed, RolledBack} }

// Transitions is the one table of legal changes; each edge says its cause.
var Transitions = transition.Table[State]{
	Pending: {
		Processing: "a worker claimed it",
		Completed:  "no row of it matches the definition's where, so it was not sent; or the verification that had opened it has ended early",
	},
	Processing: {
		Processing: "its lease expired and another worker claimed it",
		Pending:    "its worker gave it back: deadline, cancel, backoff",
		Completed:  "its last batch was committed",
		RolledBack: "its last undo was consumed",
		Failed:     "an error that waiting does not mend",
	},
	Completed: {
		Pending: "a rollback closed it by its fence, its rejected rows are tried again, or it is verified",
	},
	Failed: {
		Pending: "a person resumed its run, or rolls it back",
	},
	RolledBack: {},
}
