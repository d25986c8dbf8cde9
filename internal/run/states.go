package run

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

// transitions is the one table of legal changes; each edge says its cause.
var transitions = map[State]map[State]string{
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

// Cause tells why a run goes from one state to the other, and whether it may.
func Cause(from, to State) (string, bool) {
	cause, ok := transitions[from][to]
	return cause, ok
}

// Sources lists the states from which a run may come to the given one, in the order of States.
func Sources(to State) []State {
	var from []State
	for _, state := range States() {
		if _, ok := transitions[state][to]; ok {
			from = append(from, state)
		}
	}
	return from
}

// Ended tells whether nothing follows the state.
func (s State) Ended() bool {
	edges, known := transitions[s]
	return known && len(edges) == 0
}

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
