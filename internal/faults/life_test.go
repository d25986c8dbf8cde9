package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backfill/internal/run"
)

// step is one thing that is asked of a run.
type step struct {
	what        string
	interrupted bool // by a cancel, or a stop of the execution, in the middle
}

// The things that are asked. A resume of a run that was not interrupted in time is left out.
const (
	forward = "start"
	resume  = "resume"
	partly  = "rollback of chunks"
	wholly  = "rollback"
)

func (s step) String() string {
	if s.interrupted {
		return s.what + " interrupted"
	}
	return s.what
}

func (s step) interrupt() step {
	s.interrupted = true
	return s
}

// The steps of lives.
var (
	starts  = step{what: forward}
	resumes = step{what: resume}
	parts   = step{what: partly}
	backs   = step{what: wholly}
)

// lives are what becomes of runs. Each ends with all rows changed, or with none. The first is the fullest.
var lives = [][]step{
	{starts.interrupt(), resumes, parts.interrupt(), resumes, backs.interrupt(), resumes},
	{starts},
	{starts, backs},
	{starts.interrupt(), resumes.interrupt(), resumes},
	{starts.interrupt(), backs.interrupt(), backs},
	{starts.interrupt(), parts, resumes, backs},
	{starts, parts, backs.interrupt(), resumes},
	{starts.interrupt(), parts.interrupt(), backs},
}

// isTakenBack tells whether a life ends with no row changed.
func isTakenBack(steps []step) bool {
	return slices.ContainsFunc(steps, func(s step) bool { return s.what == wholly })
}

// life is a run from its start to the end of what is asked of it.
type life struct {
	*chaos
	random *rand.Rand // its own: how much it draws is a matter of time
	of     increment
	id     string
	state  run.State
	back   back
	left   *again // what was interrupted, and can be resumed
}

// take does one step, and demands that all is as it should be then.
func (l *life) take(t *testing.T, s step) {
	t.Helper()
	w, may := l.work(t, s)
	middle := l.inTheMiddle(s)
	if !may {
		return
	}
	a := l.stack.begin(t, w, round)
	l.counts[s.what]++
	l.id = a.id
	l.attend(t, a, middle)
	a.leave()
	if l.wasInterrupted(t) {
		l.counts["interrupted"]++
		l.state, l.left = run.Cancelled, &w
		l.cancelled(t, a)
		return
	}
	if a.stopped { // too late
		a.done(t)
	} else {
		a.completes(t)
	}
	l.state, l.back, l.left = w.end, w.back, nil
}

// work is what a step asks for. A step that the run gives no cause for is left out: nothing was interrupted in time.
func (l *life) work(t *testing.T, s step) (w again, may bool) {
	t.Helper()
	switch s.what {
	case forward:
		return again{of: l.of, input: l.of.request(), end: run.Completed}, true
	case resume:
		w = again{of: l.of, back: l.back, end: run.Completed}
		if l.left != nil {
			w = *l.left
		}
		return w.resume(l.id), l.state == run.Cancelled
	case partly:
		chunks, all := l.some(t)
		if w = l.of.rollbackOf(l.id, chunks, l.state); all {
			w.end = run.RolledBack
		}
		return w, true
	default:
		return l.of.rollback(l.id), l.state != run.RolledBack
	}
}

// rollbackOf takes some chunks back; then the run is what it was.
func (i increment) rollbackOf(id string, chunks []int64, was run.State) again {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(chunks), " ", ","), "[]")
	return again{of: i, input: map[string]any{"action": "rollback", "run": id, "chunks": list}, back: back{chunks: chunks}, end: was}
}

// resume goes on with what was interrupted.
func (a again) resume(id string) again {
	a.input = map[string]any{"action": "resume", "run": id}
	return a
}

// some chooses chunks that a worker has claimed, and tells whether there is no other.
func (l *life) some(t *testing.T) (chunks []int64, all bool) {
	t.Helper()
	must(t, l.stack.db.Connect(t).QueryRow(t.Context(), "SELECT array_agg(chunk ORDER BY chunk) FROM backfill.ledger WHERE run = $1", l.id).Scan(&chunks))
	l.random.Shuffle(len(chunks), func(i, j int) { chunks[i], chunks[j] = chunks[j], chunks[i] })
	all = len(chunks) == 1
	chunks = chunks[:(len(chunks)+1)/2]
	slices.Sort(chunks)
	return chunks, all
}

// wasInterrupted tells whether the run was closed before it had ended.
func (l *life) wasInterrupted(t *testing.T) (closed bool) {
	t.Helper()
	must(t, l.stack.db.Connect(t).QueryRow(t.Context(), "SELECT closes_as IS NOT NULL FROM backfill.runs WHERE run = $1", l.id).Scan(&closed))
	return closed
}

// cancelled demands that a run that was interrupted is CANCELLED everywhere, and that what it did is known.
func (l *life) cancelled(t *testing.T, a *attempt) {
	t.Helper()
	if !a.stopped && (a.err != nil || a.last.State != run.Cancelled) {
		t.Fatalf("cancelled run %s ended as %s (%s): %v", a.id, a.last.State, a.last.Reason, a.err)
	}
	l.of.accounts(t, l.stack.db, l.id)
	leased := number(t, l.stack.db.Connect(t), "SELECT count(*) FROM backfill.ledger WHERE run = $1 AND state = 'PROCESSING'", l.id)
	record, err := l.stack.records.Run(t.Context(), l.id)
	must(t, err)
	if record.Status.State != run.Cancelled || leased > 0 {
		t.Fatalf("the record of run %s is %s, %d chunks have a worker", l.id, record.Status.State, leased)
	}
}
