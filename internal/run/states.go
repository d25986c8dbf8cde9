package run

import "backfill/internal/transition"

// State is where a run stands.
type State string

// The states of a run.
const (
	Planning   State = "PLANNING"   // accepted; no chunk is at a worker yet
	Running    State = "RUNNING"    // chunks are planned and worked on, side by side
	Cancelling State = "CANCELLING" // closing: no batch starts any more, leases that live are awaited
	Completed  State = "COMPLETED"  // the finished ranges tile the key space up to the bound
	Failed     State = "FAILED"     // ended with a reason
	Cancelled  State = "CANCELLED"  // ended by a person; what was committed stays
)

// States lists every state of a run.
func States() []State {
	return []State{Planning, Running, Cancelling, Completed, Failed, Cancelled}
}

// Transitions is the one table of legal changes; each edge says its cause.
var Transitions = transition.Table[State]{
	Planning: {
		Running:    "the first page of chunks was planned",
		Cancelling: "a person cancelled, planning failed, or the execution was lost",
		Failed:     "refused before anything was planned",
	},
	Running: {
		Completed:  "the finished ledger ranges tile the key space",
		Cancelling: "a person cancelled, a chunk failed, or the execution was lost",
	},
	Cancelling: {
		Cancelled: "no lease lives any more; a person had cancelled",
		Failed:    "no lease lives any more; the run had failed",
	},
	Completed: {},
	Failed:    {},
	Cancelled: {},
}

// Ended tells whether nothing follows the state.
func (s State) Ended() bool { return Transitions.Last(s) }

// Works tells whether workers may claim and commit in the state.
func (s State) Works() bool { return s == Planning || s == Running }

// Active lists the states that have not ended: those in which a run holds the lock of its table.
func Active() []State {
	var active []State
	for _, state := range States() {
		if !state.Ended() {
			active = append(active, state)
		}
	}
	return active
}
