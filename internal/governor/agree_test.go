package governor_test

import (
	"strings"
	"testing"

	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// save keeps what Postgres holds of the run, and gives a function that restores it.
func (b *bundle) save(t *testing.T) (restore func()) {
	t.Helper()
	b.Exec(t, "CREATE TABLE saved_runs AS TABLE backfill.runs")
	b.Exec(t, "CREATE TABLE saved_ledger AS TABLE backfill.ledger")
	return func() {
		t.Helper()
		b.Exec(t, "DELETE FROM backfill.ledger")
		b.Exec(t, "DELETE FROM backfill.runs")
		b.Exec(t, "INSERT INTO backfill.runs TABLE saved_runs")
		b.Exec(t, "INSERT INTO backfill.ledger TABLE saved_ledger")
	}
}

// TestPostgresThatWentBackIsFound, and said, however little was lost, and however much was done again before the governor
// looks. What was sent before counts as lost.
func TestPostgresThatWentBackIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lost, again []int64
		said        string
	}{
		"a chunk was lost":                     {[]int64{2}, nil, "100 rows or more are done again"},
		"as much was done again":               {[]int64{2}, []int64{2}, "what it lost is done again"},
		"more was done again than lost":        {[]int64{2}, []int64{2, 3}, "what it lost is done again"},
		"nothing was done in what it had lost": {nil, nil, "what it lost is done again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.Plan(t, 6)
			b.Finish(t, 1)
			b.expect(t, b.beat(t), turn.Beat, run.Running, "")
			restore := b.save(t)
			b.Finish(t, c.lost...)
			b.expect(t, b.beat(t), turn.Beat, run.Running, "")
			restore()
			b.Finish(t, c.again...)
			b.beat(t)
			got := b.beat(t) // what the first has noted
			if got.State != run.Running || !strings.Contains(got.Reason, "Postgres had gone back to an older time: "+c.said) {
				t.Fatalf("%+v", got)
			}
			b.Expect(t, run.Running, got.Reason)
			if b.Number(t, "SELECT count(*) FROM backfill.runs WHERE resumed_at IS NOT NULL") != 1 {
				t.Error("messages of before count as under way")
			}
			b.Exec(t, "UPDATE backfill.runs SET reason = ''")
			if again := b.beat(t); again.Reason != "" {
				t.Errorf("it is found once more: %+v", again)
			}
		})
	}
}

// TestALookOfThePlannerIsNoBeat: nobody records its number, so it must not hide that Postgres went back.
func TestALookOfThePlannerIsNoBeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	restore := b.save(t)
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	restore()
	_, _, err := b.Ledger.Beat(t.Context(), runtest.ID, 0)
	must(t, err)
	b.beat(t)
	if got := b.beat(t); !strings.Contains(got.Reason, "gone back") {
		t.Fatalf("%+v", got)
	}
}
