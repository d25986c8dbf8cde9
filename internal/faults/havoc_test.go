package faults

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
)

// havoc strikes at random moments, one strike after the other. A moment is a message to or from Postgres, or a call
// to AWS, of one function: so the same seed makes the same strikes, though not at the same rows.
type havoc struct {
	mutex  sync.Mutex
	random *rand.Rand
	wanted int
	kills  int
	counts map[string]int
	armed  strike
	inARow map[string]int // strikes since the function's last answer that was no failure
	idle   int            // moments since the last strike
	crash  chan struct{}

	kinds []string // yet to come, before all kinds come again
}

// strike is what comes next.
type strike struct {
	function string
	kind     string
	skip     int // moments of the function that pass first
}

// mostInARow is how often planner and governor are struck before they are left alone until they have answered: the
// state machines end a run after seven tries, and wait for minutes in between, where the harness waits for seconds.
const mostInARow = 3

// mostOfControl is how often control is struck until it has answered: an event that it fails is tried twice more.
const mostOfControl = 2

// patientMoments is after how many moments a strike is given up whose function is not at work.
const patientMoments = 300

// atMessages are the kinds of strikes at a message.
var atMessages = map[string]func(*door) pgtest.Verdict{
	"kill": func(d *door) pgtest.Verdict {
		d.Kill()
		return pgtest.Cut
	},
	"cut":   func(*door) pgtest.Verdict { return pgtest.Cut },
	"halve": func(*door) pgtest.Verdict { return pgtest.Halve },
	"stop": func(d *door) pgtest.Verdict {
		d.Pause()
		time.AfterFunc(lease+time.Second, d.Continue)
		return pgtest.Pass
	},
}

// atCalls are the kinds of strikes at a call.
var atCalls = map[string]gateway.Fault{
	"kill before": gateway.KillBefore, "kill after": gateway.KillAfter, "kill, late effect": gateway.Late(lease),
	"lose": gateway.Lose, "refuse": gateway.Refuse, "throttle": gateway.Throttle, "break": gateway.Break,
	"delay": gateway.Delay(time.Second),
}

// killing are the kinds that end a process.
var killing = map[string]bool{"kill": true, "kill before": true, "kill after": true, "kill, late effect": true}

// often is how often a kind comes in one turn of all kinds.
var often = map[string]int{"kill": 8, "kill before": 2, "kill after": 2}

// moments is how many moments of a function pass at most before a strike: about as many as an invocation has.
var moments = map[string]int{planner: 60, worker: 100, governor: 30}

// callsInMoments is how many messages there are for one call to AWS.
const callsInMoments = 8

func newHavoc(random *rand.Rand, wanted int) *havoc {
	h := &havoc{random: random, wanted: wanted, counts: map[string]int{}, inARow: map[string]int{}, crash: make(chan struct{}, 1)}
	h.arm()
	return h
}

// arm chooses the next strike: kinds come in turns, so that none is left out; half of them hit a worker.
func (h *havoc) arm() {
	if len(h.kinds) == 0 {
		for _, kind := range append(sorted(atMessages), sorted(atCalls)...) {
			for range max(often[kind], 1) {
				h.kinds = append(h.kinds, kind)
			}
		}
		h.random.Shuffle(len(h.kinds), func(i, j int) { h.kinds[i], h.kinds[j] = h.kinds[j], h.kinds[i] })
	}
	function := []string{worker, worker, governor, planner}[h.random.IntN(4)]
	if function != worker && h.inARow[function] >= mostInARow {
		function = worker
	}
	h.armed = strike{function: function, kind: h.kinds[0], skip: h.random.IntN(moments[function])}
	if _, called := atCalls[h.armed.kind]; called {
		h.armed.skip /= callsInMoments
	}
	h.kinds, h.idle = h.kinds[1:], 0
}

func (h *havoc) message(d *door, _ pgtest.Message) pgtest.Verdict {
	kind := h.due(d, func(kind string) bool { return atMessages[kind] != nil })
	if kind == "" {
		return pgtest.Pass
	}
	return atMessages[kind](d)
}

// call: what is sent comes three times anyway.
func (h *havoc) call(call gateway.Call) gateway.Fault {
	kind := h.due(call.Caller.(*door), func(kind string) bool { return atCalls[kind] != nil })
	switch {
	case kind != "":
		return atCalls[kind]
	case call.Operation == "SendMessageBatch" && !h.enough():
		return gateway.Triple
	default:
		return nil
	}
}

// due gives the kind of the strike that hits this moment, "" for none.
func (h *havoc) due(d *door, fits func(kind string) bool) string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.kills >= h.wanted {
		return ""
	}
	hits := d.function == h.armed.function
	if d.function == control { // it is seldom at work: whatever comes next hits it
		hits = h.inARow[control] < mostOfControl
	}
	if !hits || !fits(h.armed.kind) {
		if h.idle++; h.idle > patientMoments {
			h.kinds = append(h.kinds, h.armed.kind) // it comes later
			h.arm()
		}
		return ""
	}
	if h.armed.skip > 0 {
		h.armed.skip--
		return ""
	}
	kind := h.armed.kind
	h.inARow[d.function]++
	h.count(d.function, kind)
	h.arm()
	return kind
}

func (h *havoc) count(function, kind string) {
	h.counts[kind]++
	if !killing[kind] {
		return
	}
	h.counts[function+" killed"]++
	h.kills++
	if h.kills%killsPerCrash == 0 || h.kills == (h.wanted+1)/2 {
		select {
		case h.crash <- struct{}{}:
		default: // one is under way
		}
	}
}

// answering notes that a function has come through.
func (h *havoc) answering(d *door) func(failed bool) {
	return func(failed bool) {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		if !failed {
			h.inARow[d.function] = 0
		}
	}
}

func (h *havoc) enough() bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.kills >= h.wanted
}

func (h *havoc) told() map[string]int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return maps.Clone(h.counts)
}

func sorted[V any](all map[string]V) []string { return slices.Sorted(maps.Keys(all)) }
