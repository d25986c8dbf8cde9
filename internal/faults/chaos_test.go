package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"backfill/internal/faults/cluster"
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

// mostLives is how many lives there may be until a worker has taken over stripes, which is a matter of chance.
const mostLives = 20

// servers share the kills.
const servers = 2

// TestRandomKills has runs begin, be interrupted, go on and be taken back, again and again, until enough processes were
// killed at random moments, mixed with lost answers, throttling, cut connections, stopped workers, messages that come
// three times, and crashes of Postgres.
func TestRandomKills(t *testing.T) {
	wanted, seed := variable(t, killsVariable, fewKills), variable(t, seedVariable, int(rand.Int32()))
	t.Logf("%d kills; again with %s=%d", wanted, seedVariable, seed)
	onACluster(t, func(t *testing.T, c *cluster.Cluster) {
		begun, x := time.Now(), newChaos(t, c, (wanted+1)/servers, uint64(seed))
		for !x.havoc.enough() || x.counts["crashes"] == 0 || x.counts[takenOver] == 0 && x.counts["lives"] < mostLives {
			if !x.live(t) {
				return
			}
			if x.counts["lives"]%10 == 0 {
				t.Logf("so far in %s: %v, %v", time.Since(begun).Round(time.Second), x.counts, x.havoc.told())
			}
		}
		t.Logf("in %s: %v, %v", time.Since(begun).Round(time.Second), x.counts, x.havoc.told())
		x.havoc.expectEach(t, wanted > fewKills)
		x.expectPasses(t)
	})
}

// The sizes of chunks: those that are walked in the order of the keys, and those that are gone over in passes. Lives take
// turns, the first is in passes.
const (
	plain   = 2_000
	striped = 7_000
)

// chaos is runs under random faults on one server.
type chaos struct {
	stack   *stack
	cluster *cluster.Cluster
	havoc   *havoc
	random  *rand.Rand // for the lives; strikes have their own
	counts  map[string]int
	yet     []int // lives to come, before all come again
	table   increment
}

func newChaos(t *testing.T, c *cluster.Cluster, kills int, seed uint64) *chaos {
	t.Helper()
	major, err := strconv.ParseUint(c.Major, 10, 64)
	must(t, err)
	x := &chaos{cluster: c, stack: deploy(t, c.Database(), plan{workers: 6, visibility: lease + time.Second}),
		havoc: newHavoc(rand.New(rand.NewPCG(seed, major)), kills), random: rand.New(rand.NewPCG(seed, 100+major)),
		counts: map[string]int{}}
	x.stack.gateway.Watch(x.havoc.call)
	for _, d := range x.stack.doors {
		d.Answering = x.havoc.answering(d)
	}
	x.table = increment{rows: 40_000}.makeTable(t, c.Database())
	return x
}

// live has a run live the next life, and tells whether all went well. The first is the fullest, for those who have
// time for one.
func (x *chaos) live(t *testing.T) bool {
	t.Helper()
	if len(x.yet) == 0 {
		x.yet = x.random.Perm(len(lives))
		if x.counts["lives"] == 0 {
			fullest := slices.Index(x.yet, 0)
			x.yet[0], x.yet[fullest] = 0, x.yet[0]
		}
	}
	steps := lives[x.yet[0]]
	x.yet = x.yet[1:]
	l := &life{chaos: x, of: x.table, random: rand.New(rand.NewPCG(x.random.Uint64(), 0))}
	l.of.fills = l.random.IntN(2) == 0 && isTakenBack(steps)
	l.of.chunkRows = []int{striped, plain}[x.counts["lives"]%2]
	x.counts["lives"]++
	if !isTakenBack(steps) {
		x.table.rounds++
	}
	return t.Run(fmt.Sprintf("%d %v", x.counts["lives"], steps), func(t *testing.T) {
		if l.of.chunkRows == striped {
			l.of.inOrder(t, x.cluster.Database())
		}
		for _, s := range steps {
			l.take(t, s)
			x.cluster.Database().Exec(t, witness)
		}
		l.countPasses(t)
	})
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
