package planner_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/failure"
)

// TestAStartWaitsForWhatItDependsOn: for each state of the newest run it is told why, and the way on; nothing is begun.
func TestAStartWaitsForWhatItDependsOn(t *testing.T) {
	t.Parallel()
	b := setup(t, 300, 64)
	b.DB.Exec(t, "CREATE TABLE other (id bigint PRIMARY KEY)")
	asked := startOf("dependent", "name: dependent\ntable: counters\nset: {n: n + 1}\ndepends_on: [first, second]\n")
	refused := func(want ...string) {
		t.Helper()
		_, err := b.planner.Handle(t.Context(), asked)
		if !failure.Is(err, failure.Invalid) {
			t.Fatalf("%v", err)
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the answer does not say %q: %v", part, err)
			}
		}
		if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE run = 'dependent'"); n != 0 {
			t.Fatal("it has begun")
		}
	}
	refused("2 problems", "first is not done: no run of it has begun in this database; `backfill start first`", "second is not done")
	past := 0
	ran := func(backfill, state string) string {
		past++
		id := fmt.Sprint(backfill, "-", past)
		b.Exec(t, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, bound, estimated, state, ended_at, started_at)
			VALUES ($1, $2, '', $1, '', '{}', NULL, 0, $3, CASE WHEN $3 IN ('COMPLETED', 'FAILED', 'CANCELLED', 'ROLLED_BACK') THEN now() END, now() + $4 * interval '1 s')`,
			id, backfill, state, past)
		return id
	}
	for state, want := range map[string]string{
		"RUNNING": "backfill watch %s", "PLANNING": "backfill watch %s", "PAUSED": "backfill resume %s", "FAILED": "backfill resume %s",
		"CANCELLED": "backfill resume %s", "ROLLED_BACK": "backfill start first", "ROLLING_BACK": "backfill watch %s",
	} {
		id := ran("first", state)
		if strings.Contains(want, "%") {
			want = fmt.Sprintf(want, id)
		}
		refused("run "+id+" is "+state, want)
	}
	ran("first", "COMPLETED")
	ran("first", "FAILED") // a later run takes nothing back
	refused("second is not done: no run")
	id := ran("second", "COMPLETED")
	b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, lo, hi, state) VALUES ($1, 1, NULL, '{10}', 'ROLLED_BACK')`, id)
	refused("of run " + id + " 1 chunk was rolled back; `backfill start second`")
	ran("second", "COMPLETED")
	if got, err := b.planner.Handle(t.Context(), asked); err != nil || got.State != "RUNNING" {
		t.Fatalf("%+v, %v", got, err)
	}
	// The run has begun: what happens to the others now is no matter of its own.
	b.Exec(t, "UPDATE backfill.runs SET state = 'ROLLED_BACK' WHERE backfill = 'second'")
	if _, err := b.planner.Handle(t.Context(), asked); err != nil {
		t.Errorf("%v", err)
	}
}
