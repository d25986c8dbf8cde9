package runtest

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/canary"
	"backfill/internal/chunk"
	"backfill/internal/closing"
	"backfill/internal/completion"
	"backfill/internal/following"
	"backfill/internal/governor"
	"backfill/internal/inquiry"
	"backfill/internal/ledger"
	"backfill/internal/pausing"
	"backfill/internal/planner"
	"backfill/internal/rebuild"
	"backfill/internal/regulator"
	"backfill/internal/repair"
	"backfill/internal/review"
	"backfill/internal/turn"
	"backfill/internal/worker"
)

const (
	// workers of a line, each with a connection of its own.
	workers = 3
	// lookAhead is how many chunks wait for them.
	lookAhead = 4
	// patience with a run of which nothing is heard.
	patience = time.Minute
)

// Line is the assembly line of a run: a planner, a governor, and workers that take messages from a channel.
type Line struct {
	bench    *Bench
	planner  *planner.Planner
	governor *governor.Governor
	messages chan chunk.Message
	at       atomic.Int64  // messages that were sent and are not worked off
	left     chan struct{} // a worker has left a chunk
}

// Line opens one. It is the bench's only: it takes what is sent off the queue.
func (b *Bench) Line(t *testing.T) *Line {
	t.Helper()
	const most = 10_000 // messages: more than a test sends
	l := &Line{bench: b, messages: make(chan chunk.Message, most), left: make(chan struct{}, most)}
	b.Queue.Answer = func(messages []chunk.Message) ([]int64, error) {
		l.at.Add(int64(len(messages)))
		for _, message := range messages {
			l.messages <- message
		}
		return nil, nil
	}
	session := Session(t, b.DB.URL)
	entries := ledger.New(session, Terms)
	again := rebuild.Rebuilder{Session: session, Ledger: entries, Records: b.Records}
	l.planner = &planner.Planner{Session: session, Ledger: entries, Records: b.Records, Dispatcher: b.Dispatcher, Rebuilder: again,
		Reviewer: review.Reviewer{Session: session, Inline: true}, LookAhead: lookAhead}
	l.governor = &governor.Governor{Ledger: entries, Records: b.Records,
		Repairer: repair.New(entries, b.Dispatcher, b.Clock.Now), Completer: completion.New(entries, b.Records).Asking(inquiry.Inquirer{Session: session}),
		Drainer:  repair.Drainer{Letters: &Letters{}, Ledger: entries, Records: b.Records},
		Canaries: canary.Canaries{Ledger: entries, Pauser: pausing.New(entries, b.Records)},
		Follower: following.Follower{Session: session, Ledger: entries, Records: b.Records},
		Closer:   closing.New(entries, b.Records), Pauser: pausing.New(entries, b.Records), Rebuilder: again,
		Regulator: regulator.Regulator{Session: session, Ledger: entries}, LookAhead: lookAhead, MaxWorkers: workers}
	l.hire(t)
	return l
}

// hire has workers take messages until the test is over.
func (l *Line) hire(t *testing.T) {
	var group sync.WaitGroup
	for range workers {
		session := Session(t, l.bench.DB.URL)
		hand := worker.New(session, ledger.New(session, Terms), l.bench.Records, Terms.Lease).ReadAhead(Session(t, l.bench.DB.URL))
		group.Go(func() {
			for message := range l.messages {
				if err := hand.Work(context.Background(), message); err != nil {
					t.Errorf("chunk %d: %v", message.Chunk, err)
				}
				l.at.Add(-1)
				l.left <- struct{}{}
			}
		})
	}
	t.Cleanup(func() { // before the sessions are dropped
		close(l.messages)
		group.Wait()
	})
}

// Run carries out a request as an execution would, and tells how it ended, or that it is paused.
func (l *Line) Run(t *testing.T, request json.RawMessage, execution string) turn.Turn {
	t.Helper()
	ended, err := l.Try(t, request, execution)
	must(t, err)
	return ended
}

// Try is Run of a request that may be refused.
func (l *Line) Try(t *testing.T, request json.RawMessage, execution string) (turn.Turn, error) {
	t.Helper()
	begun, err := l.planner.Handle(t.Context(), planner.Call{Step: "begin", Request: request, Execution: execution, Name: "the-execution"})
	if err != nil {
		return begun, err
	}
	return l.Watch(t, begun), nil
}

// Watch has planner and governor take their turns. Each beat is one sample; the next is due when a worker has left a chunk,
// or at once where none is at work.
func (l *Line) Watch(t *testing.T, now turn.Turn) turn.Turn {
	t.Helper()
	var err error
	for heard := time.Now(); ; {
		switch now.Next {
		case turn.Plan:
			now, err = l.planner.Handle(t.Context(), planner.Call{Step: "plan", Run: now.Run, Beat: 1, Budget: 1000})
		case turn.Beat:
			if l.rest() {
				heard = time.Now()
			}
			now, err = l.governor.Beat(t.Context(), turn.Turn{Run: now.Run, Beat: 1, Budget: 1000})
		case turn.End, turn.Pause:
			return now
		default:
			t.Fatalf("%+v", now)
		}
		must(t, err)
		if time.Since(heard) > patience {
			t.Fatalf("nothing is heard of run %s: %+v", now.Run, now)
		}
	}
}

// rest waits for a worker, if one is at work, and tells whether it was heard of. It gives up where that takes long, so that
// the heart goes on beating.
func (l *Line) rest() bool {
	if l.at.Load() == 0 && len(l.left) == 0 {
		return false
	}
	select {
	case <-l.left:
		return true
	case <-time.After(5 * time.Second):
		return false
	}
}
