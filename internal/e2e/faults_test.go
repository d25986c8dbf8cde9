package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"
)

// TestAMillionRowsWithAWorkerKilledFiveTimes: each kill hits a worker in the middle of a chunk of this run.
func TestAMillionRowsWithAWorkerKilledFiveTimes(t *testing.T) {
	table := unique("killed")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 1_000_000))
	id, execution := b.define(t, increment(table, 50_000))
	for kills := 0; kills < 5; {
		before := b.number(t, "SELECT coalesce(sum(seq), 0) FROM backfill.ledger WHERE run = $1", id)
		waitFor(t, time.Minute, "batches of the run go on", func() bool {
			return b.number(t, "SELECT coalesce(sum(seq), 0) FROM backfill.ledger WHERE run = $1", id) > before+rand.Int64N(20)
		})
		if b.killWorker(t, table) {
			kills++
		}
	}
	status := b.completes(t, id, execution, 5*time.Minute)
	b.expectOnce(t)
	// A worker that is killed while its last batch commits leaves nothing to do again.
	if status.Rows.Affected != 1_000_000 || status.Chunks.Retries < 3 {
		t.Fatalf("%d rows counted, %d retries", status.Rows.Affected, status.Chunks.Retries)
	}
}

// killWorker ends a worker that is changing the table right now. False: none was met in the act.
func (b *bundle) killWorker(t *testing.T, table string) bool {
	t.Helper()
	var port int
	err := b.conn.QueryRow(t.Context(), `SELECT client_port FROM pg_stat_activity
		WHERE application_name = 'backfill worker' AND state = 'active' AND query LIKE '%' || $1 || '%' LIMIT 1`, table).Scan(&port)
	if err != nil {
		return false
	}
	address, err := url.Parse(b.url)
	must(t, err)
	server, err := strconv.Atoi(address.Port())
	must(t, err)
	return killOwner(t, port, server)
}

// TestConnectionsCutBetweenCommitAndAnswer puts a proxy between the deployed workers and Postgres, which keeps every
// twentieth answer to a commit for itself.
func TestConnectionsCutBetweenCommitAndAnswer(t *testing.T) {
	table := unique("cut")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 200_000))
	proxy := pgtest.NewProxy(t, pgtest.Database{URL: b.url})
	var answers, cuts atomic.Int64
	proxy.CutWhen(func(fromServer bool, kind byte) bool {
		cut := fromServer && kind == pgtest.ReadyForQuery && answers.Add(1)%20 == 0
		if cut {
			cuts.Add(1)
		}
		return cut
	})
	b.reroute(t, "worker", "DATABASE_URL", proxy.URL)
	id, execution := b.define(t, increment(table, 50_000))
	status := b.completes(t, id, execution, 3*time.Minute)
	b.expectOnce(t)
	if cuts.Load() < 3 || status.Chunks.Retries < 3 || status.Rows.Affected != 200_000 {
		t.Fatalf("%d answers cut, %d retries, %d rows counted", cuts.Load(), status.Chunks.Retries, status.Rows.Affected)
	}
}

// TestEveryMessageThreeTimesAtOnce sends copies of each message beside the planner's own.
func TestEveryMessageThreeTimesAtOnce(t *testing.T) {
	t.Parallel()
	table := unique("copies")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	id, execution := b.define(t, increment(table, 10_000))
	copied := map[int64]bool{}
	waitFor(t, time.Minute, "every chunk was claimed and copied", func() bool {
		rows, err := b.conn.Query(t.Context(), "SELECT run, chunk, lo, hi, send FROM backfill.ledger WHERE run = $1", id)
		must(t, err)
		messages, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[chunk.Message])
		must(t, err)
		for _, message := range messages {
			if !copied[message.Chunk] {
				copied[message.Chunk] = true
				b.send(t, message, 3)
			}
		}
		return len(copied) == 6
	})
	status := b.completes(t, id, execution, 2*time.Minute)
	b.expectOnce(t)
	if status.Rows.Affected != 60_000 {
		t.Fatalf("%d rows counted", status.Rows.Affected)
	}
}

func (b *bundle) send(t *testing.T, message chunk.Message, copies int) {
	t.Helper()
	body, err := json.Marshal(message)
	must(t, err)
	for range copies {
		_, err := b.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: aws.String(b.outputs["QueueUrl"]), MessageBody: aws.String(string(body)),
		})
		must(t, err)
	}
}

// inTheMiddle begins a run that takes its time, and waits until its first batch is committed.
func (b *bundle) inTheMiddle(t *testing.T, chunkRows int) (id, execution string) {
	t.Helper()
	id, execution = b.define(t, slowly(increment(b.table, chunkRows)))
	waitFor(t, time.Minute, "a batch is committed", func() bool {
		return b.number(t, "SELECT coalesce(sum(affected), 0) FROM backfill.ledger WHERE run = $1", id) > 0
	})
	return id, execution
}

// slowly makes each row take a moment: a millisecond.
func slowly(definition string) string {
	return strings.Replace(definition, "n + 1", "n + 1 + 0 * length(pg_sleep(0.0001)::text)", 1)
}

// TestStopInTheConsole: no Catch runs, yet the run ends, what was committed is counted, and the table is free again.
func TestStopInTheConsole(t *testing.T) {
	t.Parallel()
	table := unique("stopped")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 300_000))
	id, execution := b.inTheMiddle(t, 20_000)
	_, err := b.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &execution})
	must(t, err)
	waitFor(t, 90*time.Second, "the run has ended", func() bool {
		status, err := b.status(t, id)
		must(t, err)
		return status.State.Ended()
	})
	status, err := b.status(t, id)
	must(t, err)
	changed := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id + 1")
	counted := b.number(t, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	if status.State != run.Cancelled || changed == 0 || changed == 300_000 || changed != counted {
		t.Fatalf("run is %s (%s): %d rows changed, %d counted", status.State, status.Reason, changed, counted)
	}
	again, execution := b.define(t, fmt.Sprintf("name: increment\ntable: %s\nset: {n: id + 1}\n", table))
	b.completes(t, again, execution, 2*time.Minute)
	b.expectOnce(t)
}

// TestCancel: the execution ends as the run ends.
func TestCancel(t *testing.T) {
	t.Parallel()
	table := unique("cancelled")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 300_000))
	id, execution := b.inTheMiddle(t, 20_000)
	b.control(t, map[string]any{"action": "cancel", "run": id, "by": "the test"})
	described := b.ended(t, execution, time.Minute)
	if described.Status != sfntypes.ExecutionStatusFailed || *described.Error != "Backfill.RunCancelled" || !strings.Contains(*described.Cause, "the test") {
		t.Fatalf("execution %s: %s, %s", described.Status, aws.ToString(described.Error), aws.ToString(described.Cause))
	}
	committed := b.number(t, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	if changed := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id + 1"); changed != committed {
		t.Fatalf("%d rows changed, %d counted", changed, committed)
	}
}

// TestASecondRunOnTheTableIsRefused names the run that holds it.
func TestASecondRunOnTheTableIsRefused(t *testing.T) {
	t.Parallel()
	table := unique("busy")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 40_000))
	first, execution := b.define(t, slowly(increment(table, 5_000)))
	waitFor(t, time.Minute, "the first run holds the table", func() bool {
		return b.number(t, "SELECT count(*) FROM backfill.runs WHERE run = $1", first) == 1
	})
	_, second := b.define(t, increment(table, 5_000))
	described := b.ended(t, second, time.Minute)
	if *described.Error != "Backfill.Busy" || !strings.Contains(*described.Cause, first) {
		t.Fatalf("the second run: %s, %s", *described.Error, *described.Cause)
	}
	b.completes(t, first, execution, 2*time.Minute)
	b.expectOnce(t)
}
