package run

import (
	"slices"

	"backfill/internal/transition"
)

// State is where a run stands.
type State string

// The states of a run.
const (
	Planning    State = "PLANNING"     // accepted; no chunk is at a worker yet
	Running     State = "RUNNING"      // chunks are planned and worked on, side by side
	RollingBack State = "ROLLING_BACK" // what the run wrote is taken back, chunk by chunk
	Verifying   State = "VERIFYING"    // it was COMPLETED, and is looked at once more, chunk by chunk
	Pausing     State = "PAUSING"      // a person, the end of a window, or a chunk that failed stops it for a while: no batch starts any more, leases that live are awaited
	Paused      State = "PAUSED"       // nobody works on it, and its execution waits to be woken
	Cancelling  State = "CANCELLING"   // closing: no batch starts any more, leases that live are awaited
	Completed   State = "COMPLETED"    // the finished ranges tile the key space up to the bound
	Failed      State = "FAILED"       // ended with a reason
	Cancelled   State = "CANCELLED"    // ended by a person; what was committed stays
	RolledBack  State = "ROLLED_BACK"  // nothing of what it wrote is left, but for the conflicts that it names
)

// States lists every state of a run.
func States() []State {
	return []State{Planning, Running, RollingBack, Verifying, Pausing, Paused, Cancelling, Completed, Failed, Cancelled, RolledBack}
}

// Transitions is the one table of legal changes; each edge says its cause.
var Transitions = transition.Table[State]{
	Planning: {
		Running:    "the first page of chunks was planned",
		Pausing:    "a person paused it, its window has shut, or a chunk failed",
		Cancelling: "a person cancelled, planning failed, or the execution was lost",
		Failed:     "refused before anything was planned",
	},
	Running: {
		Completed:  "the finished ledger ranges tile the key space",
		Pausing:    "a person paused it, its window has shut, or a chunk failed",
		Cancelling: "a person cancelled, a chunk failed, or the execution was lost",
	},
	RollingBack: {
		RolledBack: "the undo of every chunk was consumed",
		Completed:  "the chunks that were asked for are rolled back; the others are as they were",
		Cancelled:  "the chunks that were asked for are rolled back; the others are as they were",
		Failed:     "the chunks that were asked for are rolled back; the others are as they were",
		Pausing:    "a person paused it",
		Cancelling: "a person cancelled, a chunk could not be restored, or the execution was lost",
	},
	Verifying: {
		Completed:  "every chunk was looked at, and the certificate is written",
		Pausing:    "a person paused it",
		Cancelling: "a person cancelled its verification, a chunk could not be verified, or the execution was lost",
	},
	Pausing: {
		Paused:      "no lease lives any more",
		Running:     "a person let it go on",
		RollingBack: "a person let its rollback go on",
		Verifying:   "a person let its verification go on",
		Cancelling:  "a person cancelled, or the execution was lost",
	},
	Paused: {
		Running:     "a person let it go on",
		RollingBack: "a person let its rollback go on",
		Verifying:   "a person let its verification go on",
		Cancelling:  "a person cancelled, or the execution was lost",
	},
	Cancelling: {
		Cancelled: "no lease lives any more; a person had cancelled",
		Failed:    "no lease lives any more; the run had failed",
		Completed: "no lease lives any more; it was only its verification that was cancelled, or has failed",
	},
	Completed: {
		Running:     "a person has its rejected rows tried again",
		RollingBack: "a person rolls it back",
		Verifying:   "a person has it verified",
	},
	Failed: {
		Running:     "a person resumed it, or has its failed chunks and rejected rows tried again",
		RollingBack: "a person rolls it back, or resumed its rollback",
	},
	Cancelled: {
		Running:     "a person resumed it, or has its failed chunks and rejected rows tried again",
		RollingBack: "a person rolls it back, or resumed its rollback",
	},
	RolledBack: {},
}

// Before lists the states from which a run comes to the given one while it goes on, by one step or by many: a copy that
// is late may skip the steps between. That a person brings a run back is no such step.
func Before(to State) []State { return Transitions.Before(to, State.Ended) }

// ended are the states in which nobody watches the run and its table is free; only a person brings it back.
var ended = []State{Completed, Failed, Cancelled, RolledBack}

// Ended tells whether the run has ended.
func (s State) Ended() bool { return slices.Contains(ended, s) }

// Pauses tells whether the run is paused, or on its way there.
func (s State) Pauses() bool { return s == Pausing || s == Paused }

// Works tells whether workers may claim and commit forward in the state.
func (s State) Works() bool { return s == Planning || s == Running }

// Moves tells whether workers may claim and commit in the state, whichever way they go.
func (s State) Moves() bool { return s.Works() || s == RollingBack || s == Verifying }
