package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// again starts another execution for a run, and waits for its end.
func (b *bundle) again(t *testing.T, id, action string, more map[string]any) *sfntypes.ExecutionStatus {
	t.Helper()
	input := map[string]any{"action": action, "run": id}
	for key, value := range more {
		input[key] = value
	}
	_, execution := b.start(t, input)
	described := b.ended(t, execution, 2*time.Minute)
	return &described.Status
}

// digest is one number for all that a table holds.
func (b *bundle) digest(t *testing.T) int64 {
	t.Helper()
	return b.number(t, "SELECT coalesce(sum(hashtextextended(t::text, 0) % 1000000007), 0)::bigint FROM "+quoted(b.table)+" AS t")
}

// TestARollbackOfAWholeRun and of a part of it, beside users who changed rows meanwhile.
func TestARollbackOfAWholeRun(t *testing.T) {
	t.Parallel()
	table := unique("rolled")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	before := b.digest(t)
	id, execution := b.define(t, increment(table, 10_000))
	b.completes(t, id, execution, 2*time.Minute)
	if status := b.again(t, id, "rollback", map[string]any{"chunks": "2,4-5"}); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback of three chunks: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if changed := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id + 1"); changed != 30_000 ||
		status.State != run.Completed || status.Chunks.RolledBack != 3 || status.Rows.Restored != 30_000 {
		t.Fatalf("%d rows are changed still, run is %s (%s), %+v %+v", changed, status.State, status.Reason, status.Chunks, status.Rows)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = -1 WHERE id = 7")
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback of the rest: %s", *status)
	}
	status, err = b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 59_999 || status.Rows.Conflicts != 1 || status.Chunks.RolledBack != 6 {
		t.Fatalf("run is %s (%s), %+v %+v", status.State, status.Reason, status.Chunks, status.Rows)
	}
	conflicts := string(b.control(t, map[string]any{"action": "conflicts", "run": id}))
	if !strings.Contains(conflicts, `"key":["7"],"holds":["-1"],"was":["7"]`) {
		t.Fatalf("conflicts: %s", conflicts)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = 7 WHERE id = 7")
	if b.digest(t) != before {
		t.Fatal("the table is not as it was")
	}
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("a second rollback: %s", *status)
	}
}

// TestACancelledRunIsResumed: every row is changed once, whatever was done before the cancel.
func TestACancelledRunIsResumed(t *testing.T) {
	t.Parallel()
	table := unique("resumed")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 16_000))
	id, execution := b.inTheMiddle(t, 4_000)
	b.control(t, map[string]any{"action": "cancel", "run": id})
	b.ended(t, execution, time.Minute)
	if status := b.again(t, id, "resume", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the resumed run: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if b.expectOnce(t); status.State != run.Completed || status.Rows.Affected != 16_000 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
}

// TestACancelledRollbackGoesOn: resumed, it restores what is left, each row once.
func TestACancelledRollbackGoesOn(t *testing.T) {
	t.Parallel()
	table := unique("turned")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 16_000)+fmt.Sprintf(`;
		CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.n = OLD.n - 1 THEN PERFORM pg_sleep(0.0001); END IF; RETURN NEW; END $$;
		CREATE TRIGGER slow BEFORE UPDATE ON %[2]s FOR EACH ROW EXECUTE FUNCTION %[1]s()`, table, quoted(table)))
	t.Cleanup(func() { b.drop(t, "FUNCTION "+table+" CASCADE") })
	before := b.digest(t)
	id, execution := b.define(t, increment(table, 4_000))
	b.completes(t, id, execution, 2*time.Minute)
	_, rollback := b.start(t, map[string]any{"action": "rollback", "run": id})
	waitFor(t, time.Minute, "a row is restored", func() bool {
		return b.number(t, "SELECT coalesce(sum(restored), 0) FROM backfill.ledger WHERE run = $1", id) > 0
	})
	b.control(t, map[string]any{"action": "cancel", "run": id})
	if described := b.ended(t, rollback, time.Minute); described.Status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("the cancelled rollback: %s", described.Status)
	}
	if restored := b.number(t, "SELECT sum(restored) FROM backfill.ledger WHERE run = $1", id); restored == 16_000 {
		t.Fatal("the rollback was over before it was cancelled")
	}
	if status := b.again(t, id, "resume", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the resumed rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if b.digest(t) != before || status.State != run.RolledBack || status.Rows.Restored != 16_000 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
}

// TestANewerRunStandsInTheWay of the rollback of an older one, and says so.
func TestANewerRunStandsInTheWay(t *testing.T) {
	t.Parallel()
	table := unique("stacked")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 5_000))
	older, execution := b.define(t, increment(table, 2_000))
	b.completes(t, older, execution, 2*time.Minute)
	newer, execution := b.define(t, fmt.Sprintf("name: increment\ntable: %s\nset: {n: n * 2}\nwhere: id <= 1000\n", table))
	b.completes(t, newer, execution, 2*time.Minute)
	_, refused := b.start(t, map[string]any{"action": "rollback", "run": older})
	if described := b.ended(t, refused, time.Minute); *described.Error != "Backfill.Invalid" || !strings.Contains(*described.Cause, newer) {
		t.Fatalf("%s: %s", *described.Error, *described.Cause)
	}
	if status, err := b.status(t, older); err != nil || status.State != run.Completed {
		t.Fatalf("after the refusal the run is %s, %v", status.State, err)
	}
	if status := b.again(t, older, "rollback", map[string]any{"force": true}); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the forced rollback: %s", *status)
	}
	status, err := b.status(t, older)
	must(t, err)
	kept := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = (id + 1) * 2")
	restored := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id")
	if status.State != run.RolledBack || kept != 1000 || restored != 4000 || status.Rows.Conflicts != 1000 {
		t.Fatalf("run is %s (%s): %d rows of the newer run, %d restored, %+v", status.State, status.Reason, kept, restored, status.Rows)
	}
}
