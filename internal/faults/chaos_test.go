package faults

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
)

// The variables of `make chaos`.
const (
	killsVariable = "BACKFILL_CHAOS_KILLS"
	seedVariable  = "BACKFILL_CHAOS_SEED"
)

const (
	// fewKills are made by a plain `go test`.
	fewKills = 30
	// killsPerCrash is how many kills of functions there are for one of Postgres.
	killsPerCrash = 50
	// round bounds one run under random faults.
	round = 5 * time.Minute
)

// TestRandomKills increments a table again and again until enough processes were killed at random moments, mixed with
// lost answers, throttling, cut connections, stopped workers, messages that come three times, and crashes of Postgres.
func TestRandomKills(t *testing.T) {
	t.Parallel()
	wanted, seed := variable(t, killsVariable, fewKills), variable(t, seedVariable, int(rand.Int32()))
	t.Logf("%d kills; again with %s=%d", wanted, seedVariable, seed)
	c := cluster.New(t, pgtest.Newest(t))
	s := deploy(t, c.Database(), plan{workers: 6, visibility: lease + time.Second})
	h := newHavoc(rand.New(rand.NewPCG(uint64(seed), 0)), wanted)
	s.watch(h.message)
	s.gateway.Watch(h.call)
	for _, d := range s.doors {
		d.Answering = h.answering(d)
	}
	w := increment{rows: 40_000, chunkRows: 1000}.makeTable(t, s.db)
	begun, crashes := time.Now(), 0
	for ; !h.enough() || crashes == 0; w.rounds++ {
		a := s.begin(t, w, round)
		crashes += a.crashing(t, c, h.crash)
		a.completes(t)
		if w.rounds%10 == 9 {
			t.Logf("so far %d runs, %s: %v", w.rounds+1, time.Since(begun).Round(time.Second), h.told())
		}
	}
	t.Logf("%d runs, %d crashes of Postgres, in %s: %v", w.rounds, crashes, time.Since(begun).Round(time.Second), h.told())
	h.expectEach(t, wanted > fewKills)
}

// crashing crashes Postgres when it is told to, until the run has ended, and tells how often.
func (a *attempt) crashing(t *testing.T, c *cluster.Cluster, crash <-chan struct{}) (crashes int) {
	t.Helper()
	for {
		select {
		case <-crash:
			c.Crash()
			c.Start(t)
			crashes++
		case <-a.ended:
			return crashes
		}
	}
}

// expectEach demands that no kind of fault was left out; and no function, for which a few kills may be too few.
func (h *havoc) expectEach(t *testing.T, functions bool) {
	t.Helper()
	told := h.told()
	for _, kind := range slices.Concat(slices.Collect(maps.Keys(atMessages)), slices.Collect(maps.Keys(atCalls))) {
		if told[kind] == 0 {
			t.Errorf("no strike was of the kind %q", kind)
		}
	}
	for _, function := range []string{planner, worker, governor} {
		if functions && told[function+" killed"] == 0 {
			t.Errorf("no %s was killed", function)
		}
	}
}

func variable(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q, want a number", name, text)
	}
	return number
}
