package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/control"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestAVerification of a run that is COMPLETED: rows that users changed, and one that came late, are counted, then written again, and rolled
// back with the run.
func TestAVerification(t *testing.T) {
	t.Parallel()
	table := unique("verified")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	id, execution := b.define(t, fmt.Sprintf("name: verified\ntable: %[1]s\nset: {n: id * 2}\nchunk_rows: 10000\nverify: SELECT count(*) FROM %[1]s WHERE n < 0\n", table))
	b.completes(t, id, execution, 2*time.Minute)
	b.script(t, "UPDATE "+quoted(table)+" SET n = -1 WHERE id % 10000 = 7; DELETE FROM "+quoted(table)+" WHERE id = 8; INSERT INTO "+quoted(table)+" VALUES (8, 0)")
	if status := b.again(t, id, "verify", map[string]any{"write": false}); *status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("a run that does not hold: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.Completed || status.Certificate == nil || status.Certificate.Holds || status.Certificate.Values.Deviating != 7 || status.Certificate.Values.Mended != 0 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Certificate)
	}
	if status := b.again(t, id, "verify", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the verification: %s", *status)
	}
	var found control.Certified
	must(t, json.Unmarshal(b.control(t, map[string]any{"action": "certificate", "run": id}), &found))
	c := found.Certificate
	if !c.Holds || !c.Tiled || c.Values.Rows != 60_000 || c.Values.Deviating != 7 || c.Values.Mended != 7 || !c.Invariant.Holds || len(found.Chunks) != 6 || found.Chunks[5].Digest == "" {
		t.Fatalf("%+v, %+v", found, c)
	}
	if n := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n <> id * 2"); n != 0 {
		t.Fatalf("%d rows do not hold what they should", n)
	}
	b.again(t, id, "rollback", nil)
	if n := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n <> CASE WHEN id % 10000 = 7 THEN -1 WHEN id = 8 THEN 0 ELSE id END"); n != 0 {
		t.Fatalf("%d rows are not what they were", n)
	}
}

// verification by the command: it exits as the verification ends.
func (c command) verification(t *testing.T) {
	table, id := unique("certified"), unique("run")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 30_000))
	c.expect(t, 0, "start", "-f", write(t, fmt.Sprintf("name: certified\ntable: %s\nset: {n: id * 2}\nchunk_rows: 10000\n", table)), "--run", id, "--wait")
	b.script(t, "UPDATE "+quoted(table)+" SET n = -1 WHERE id = 7")
	if got := c.expect(t, 1, "verify", id, "--no-write", "--wait"); !strings.Contains(got.out, "1 deviate") {
		t.Errorf("verify: %s", got.out)
	}
	b.expectListed(t, c.expect(t, 0, "deviations", id).out, "7")
	c.expect(t, 0, "verify", id, "--wait")
	if got := c.expect(t, 0, "certificate", id); !strings.Contains(got.out, "holds     yes") || !strings.Contains(got.out, "1 deviated, 1 written again") {
		t.Errorf("certificate: %s", got.out)
	}
}

// expectListed runs what `deviations` has printed, all of it, as somebody does by psql.
func (b *bundle) expectListed(t *testing.T, script string, keys ...string) {
	t.Helper()
	if listed := pgtest.List(t, b.conn, script); !slices.Equal(listed, keys) {
		t.Errorf("listed are %q, want %q, by %s", listed, keys, script)
	}
}
