package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestATransformAndItsRollback with the function of an embedded definition: rows that it refuses are rejected, and named with its text.
func TestATransformAndItsRollback(t *testing.T) {
	t.Parallel()
	table := unique("hashed")
	b := setup(t, table, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, email text, email_hash bytea);
		INSERT INTO %[1]s SELECT g, CASE WHEN g %% 10 > 0 THEN ' User' || g || CASE WHEN g %% 20000 = 7 THEN '' ELSE '@Example.com' END END FROM generate_series(1, 60000) g; ANALYZE %[1]s`, quoted(table)))
	before := b.digest(t)
	id, execution := b.define(t, fmt.Sprintf("name: hash\ntable: %s\ntransform: {function: email-hash, reads: [email], writes: [email_hash]}\n"+
		"where: email IS NOT NULL\nchunk_rows: 10000\nerror_budget: 3\n", table))
	status := b.completes(t, id, execution, 2*time.Minute)
	right := "SELECT count(*) FROM " + quoted(table) + " WHERE email_hash = sha256(convert_to(lower(btrim(email)), 'UTF8'))"
	if n := b.number(t, right); n != 53_997 || status.Rows.Affected != n || status.Rows.Rejected != 3 || status.Rows.Scanned != 60_000 || status.Kind != "transform" {
		t.Fatalf("%d rows are right; %s, %+v", n, status.Kind, status.Rows)
	}
	rejects := string(b.control(t, map[string]any{"action": "rejects", "run": id}))
	if !strings.Contains(rejects, `"key":["20007"]`) || !strings.Contains(rejects, `"sqlstate":"BFT01"`) || !strings.Contains(rejects, "the address has no @") {
		t.Fatalf("rejects: %s", rejects)
	}
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 53_997 || status.Rows.Conflicts != 0 || b.digest(t) != before {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
}
