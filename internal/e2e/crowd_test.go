package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// How many runs go on at once, how many commands act on them at once, and how many rows each run has.
const (
	runsVariable, fewRuns     = "BACKFILL_CROWD_RUNS", 20
	callsVariable, fewCalls   = "BACKFILL_CROWD_CALLS", 100
	crowdRows, crowdChunkRows = 1_500, 500
)

// The limits of the database: fewer slots than the stack has workers, and less than those would make, some 1,100 rows/s.
const crowdSlots, crowdRate = 3, 800

// crowd is runs that go on at once, each on a table of its own.
type crowd struct {
	*bundle
	command
	tag   string
	ids   []string
	calls []*call
}

// call is a command line that acts on a run, and what it came to.
type call struct {
	run   int
	verb  string
	words []string
	said  said
}

// TestACrowdOfRunsAndCommands: many runs at once, under limits of their database, while commands pause, let go, tune, cancel and look at them all at once. Each
// row is changed exactly once, no command is lost, and the limits hold. It is not parallel: the limits are those of every run.
func TestACrowdOfRunsAndCommands(t *testing.T) {
	tag := unique("crowd")
	c := &crowd{bundle: setup(t, tag, fmt.Sprintf(counters, quoted(tag), 1)), command: built(t), tag: tag}
	c.expect(t, 0, "tune", "--database", "--workers", fmt.Sprint(crowdSlots), "--rate", fmt.Sprint(crowdRate))
	t.Cleanup(func() { c.lift(t) })
	begun := time.Now()
	c.begin(t, variable(t, runsVariable, fewRuns))
	seen := c.sampled(t)
	waitFor(t, 2*time.Minute, "each run has planned, and some have written", func() bool {
		return c.number(t, "SELECT count(*) FROM backfill.runs WHERE run LIKE $1 AND state <> 'PLANNING'", c.like()) == int64(len(c.ids)) &&
			c.number(t, "SELECT coalesce(sum(affected), 0) FROM backfill.ledger WHERE run LIKE $1", c.like()) > 0
	})
	c.act(t, variable(t, callsVariable, fewCalls))
	acted := time.Since(begun)
	c.endAll(t)
	t.Logf("%d runs, %d commands at once: acted on after %s, all ended after %s", len(c.ids), len(c.calls), acted.Round(time.Second), time.Since(begun).Round(time.Second))
	seen.expectLimits(t)
	for n := range c.ids {
		c.expectEnd(t, n)
	}
}

// lift takes the limits of the database away, also where the test's context has ended.
func (c *crowd) lift(t *testing.T) {
	t.Helper()
	if _, err := c.conn.Exec(context.Background(), "UPDATE backfill.throttle SET ceiling = NULL, workers = NULL, set_by = ''"); err != nil {
		t.Error(err)
	}
}

// begin starts all runs at once.
func (c *crowd) begin(t *testing.T, runs int) {
	t.Helper()
	var starts sync.WaitGroup
	for n := range runs {
		table := fmt.Sprintf("%s_%d", c.tag, n)
		c.script(t, fmt.Sprintf(counters, quoted(table), crowdRows))
		t.Cleanup(func() { c.drop(t, "TABLE "+quoted(table)) })
		file := write(t, slowly(increment(table, crowdChunkRows)))
		c.ids = append(c.ids, strings.ReplaceAll(table, "_", "-"))
		starts.Go(func() {
			if got := c.run(t, "start", "-f", file, "--run", c.ids[n]); got.code != 0 {
				t.Errorf("start of %s: exit code %d, %s", c.ids[n], got.code, got.err)
			}
		})
	}
	starts.Wait()
}

// act runs all commands at once.
func (c *crowd) act(t *testing.T, calls int) {
	t.Helper()
	var all sync.WaitGroup
	for k := range calls {
		asked := c.called(k)
		c.calls = append(c.calls, asked)
		all.Go(func() { asked.said = c.run(t, asked.words...) })
	}
	all.Wait()
	said := map[string]int{}
	for _, asked := range c.calls {
		said[fmt.Sprintf("%s: %d", asked.verb, asked.said.code)]++
		asked.expectAnswer(t, c.ids[asked.run])
	}
	t.Logf("exit codes: %v", said)
}

// called is the k-th command: in turns each run gets one of each kind. Two rates for each run come at once, and its weight and workers beside them; four
// of twenty runs are cancelled, while five of them are let go that may not be paused yet.
func (c *crowd) called(k int) *call {
	n := k % len(c.ids)
	id := c.ids[n]
	words := [][]string{
		{"tune", id, "--rate", fmt.Sprint(50_000 + n)},
		{"tune", id, "--weight", fmt.Sprint(2 + n%5)},
		{"pause", id, "--reason", "a crowd"},
		{"tune", id, "--rate", fmt.Sprint(70_000 + n)},
		{"status", id, "-o", "json"},
	}[k/len(c.ids)%5]
	switch {
	case words[0] == "tune" && words[2] == "--weight" && n%5 == 0:
		words = []string{"cancel", id}
	case words[0] == "pause" && n%2 == 1:
		words = []string{"chunks", id, "-o", "json"}
	case words[0] == "status" && n%4 == 0:
		words = []string{"resume", id}
	case words[0] == "status" && n%4 == 2:
		words = []string{"list", "--limit", "100", "-o", "json"}
	case words[0] == "status" && n%4 == 3:
		words = []string{"tune", id, "--workers", "2"}
	}
	return &call{run: n, verb: words[0], words: words}
}

// expectAnswer demands that a command was done as asked, or refused with a reason that names the run; or that the server had no connection left, which
// depends on how quickly this machine makes so many.
func (a *call) expectAnswer(t *testing.T, id string) {
	t.Helper()
	refused := (a.said.code == 1 || a.said.code == 2) && strings.Contains(a.said.err, id) && slices.Contains([]string{"pause", "resume", "cancel"}, a.verb)
	crowded := a.said.code == 3 && strings.Contains(a.said.err, "SQLSTATE 53300") && strings.Contains(a.said.err, "try again")
	switch {
	case a.said.code == 0:
	case refused || crowded:
		t.Logf("%v: exit code %d, %s", a.words, a.said.code, a.said.err)
	default:
		t.Errorf("%v: exit code %d\n%s%s", a.words, a.said.code, a.said.out, a.said.err)
	}
}

// cutOff is what the local stack's Step Functions says where it has lost the answer of a function under this load, and gives the execution up. Such a run is FAILED,
// and goes on by a resume.
const cutOff = "States.Runtime: Connection was closed before we received a valid response%"

// endAll lets go what was paused, until every run has ended.
func (c *crowd) endAll(t *testing.T) {
	t.Helper()
	waitFor(t, 4*time.Minute, "every run has ended", func() bool {
		rows, err := c.conn.Query(t.Context(), "SELECT run, reason FROM backfill.runs WHERE run LIKE $1 AND (state = 'PAUSED' OR state = 'FAILED' AND reason LIKE $2)", c.like(), cutOff)
		must(t, err)
		stopped, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Run, Reason string }])
		must(t, err)
		for _, one := range stopped {
			t.Logf("resume of %s: %s", one.Run, one.Reason)
			c.expect(t, 0, "resume", one.Run)
		}
		return len(stopped) == 0 && c.number(t, "SELECT count(*) FROM backfill.runs WHERE run LIKE $1 AND state IN ('COMPLETED', 'CANCELLED', 'FAILED')", c.like()) == int64(len(c.ids))
	})
}

// expectEnd demands of a run that it ended as it was told to, with each row as often changed as its ledger says, and that it shows what it was told last.
func (c *crowd) expectEnd(t *testing.T, n int) {
	t.Helper()
	id, table := c.ids[n], quoted(fmt.Sprintf("%s_%d", c.tag, n))
	status := statusIn(t, c.expect(t, 0, "status", id, "-o", "json").out)
	once := c.number(t, "SELECT count(*) FROM "+table+" WHERE n = id + 1")
	never := c.number(t, "SELECT count(*) FROM "+table+" WHERE n = id")
	counted := c.number(t, "SELECT coalesce(sum(affected), 0) FROM backfill.ledger WHERE run = $1", id)
	if once+never != crowdRows || once != counted || status.Rows.Affected != counted {
		t.Errorf("run %s: %d rows are changed once, %d never, %d counted, %d shown", id, once, never, counted, status.Rows.Affected)
	}
	if cancelled := c.did(n, "cancel"); status.State != run.Completed && (!cancelled || status.State != run.Cancelled) || status.State == run.Completed && once != crowdRows {
		t.Errorf("run %s is %s (%s) with %d rows changed, cancelled: %t", id, status.State, status.Reason, once, cancelled)
	}
	if pauses := c.number(t, "SELECT count(*) FROM backfill.changes WHERE run = $1 AND state = 'PAUSING' AND detail LIKE '%a crowd%'", id); c.did(n, "pause") != (pauses > 0) {
		t.Errorf("run %s was paused %d times, the command was answered: %t", id, pauses, c.did(n, "pause"))
	}
	c.expectLimits(t, n, status)
}

// did tells whether a command of that kind was done for a run.
func (c *crowd) did(n int, verb string, words ...string) bool {
	return slices.ContainsFunc(c.calls, func(a *call) bool {
		return a.run == n && a.verb == verb && a.said.code == 0 && !slices.ContainsFunc(words, func(word string) bool { return !slices.Contains(a.words, word) })
	})
}

// expectLimits demands that none of the limits that were set at once was lost, and that of two rates the one holds that the log has last.
func (c *crowd) expectLimits(t *testing.T, n int, status run.Status) {
	t.Helper()
	var detail string
	must(t, c.conn.QueryRow(t.Context(), "SELECT detail FROM backfill.changes WHERE run = $1 AND detail LIKE 'at most %rows/s%' ORDER BY n DESC LIMIT 1", c.ids[n]).Scan(&detail))
	limits := status.Throttle.Limits
	if status.State != run.Completed { // nobody looks at its limits any more
		return
	}
	digits := strings.ReplaceAll(strings.Fields(detail)[2], ",", "")
	if limits.Rate == nil || fmt.Sprint(int64(*limits.Rate)) != digits {
		t.Errorf("run %s shows the limits %+v, the log has %q last", c.ids[n], limits, detail)
	}
	if c.did(n, "tune", "--weight") && limits.Weight != float64(2+n%5) || c.did(n, "tune", "--workers") && (limits.Workers == nil || *limits.Workers != 2) {
		t.Errorf("run %s shows the limits %+v: one was lost", c.ids[n], limits)
	}
}

// like finds the ids of the runs.
func (c *crowd) like() string { return strings.ReplaceAll(c.tag, "_", "-") + "-%" }

func variable(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 {
		t.Fatalf("%s is %q, want a number", name, text)
	}
	return number
}
