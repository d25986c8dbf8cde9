package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// shut is a definition whose windows are on the days after tomorrow.
func shut(table string) string {
	day := func(ahead int) string { return time.Now().UTC().AddDate(0, 0, ahead).Weekday().String()[:3] }
	return increment(table, 5_000) + fmt.Sprintf("windows: {days: [%s, %s]}\n", day(2), day(3))
}

// waits begins a run outside of its windows, and waits until its execution does, with no row changed.
func (b *bundle) waits(t *testing.T, rows int64) (id, execution string) {
	t.Helper()
	id, execution = b.define(t, shut(b.table))
	waitFor(t, time.Minute, "the execution waits for its window", func() bool {
		return b.number(t, "SELECT count(*) FROM backfill.runs WHERE run = $1 AND state = 'PAUSED' AND waiting IS NOT NULL", id) == 1
	})
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.Paused || !strings.HasPrefix(status.Reason, "outside of its windows; the next one opens at ") ||
		status.Pause == nil || status.Pause.For != run.ForWindow || status.Pause.Until == nil {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Pause)
	}
	if n := b.number(t, "SELECT count(*) FROM "+quoted(b.table)+" WHERE n = id"); n != rows {
		t.Fatalf("%d of %d rows are as they were", n, rows)
	}
	return id, execution
}

// TestARunGoesOnWhenItsWindowOpens, by itself: nobody says a word. The database makes the window open in a few seconds; that
// it has opened is said in place of the days.
func TestARunGoesOnWhenItsWindowOpens(t *testing.T) {
	t.Parallel()
	const rows = 10_000
	table := unique("window")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), rows))
	name := pgx.Identifier{table}.Sanitize()
	b.script(t, fmt.Sprintf(`CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.paused_until := clock_timestamp() + interval '4 s'; RETURN NEW; END $$;
		CREATE TRIGGER %[2]s BEFORE UPDATE ON backfill.runs FOR EACH ROW
			WHEN (NEW.target = '%[1]s' AND NEW.paused_for = 'window' AND OLD.paused_for = '') EXECUTE FUNCTION %[1]s()`, quoted(table), name))
	t.Cleanup(func() {
		b.drop(t, "TRIGGER "+name+" ON backfill.runs")
		b.drop(t, "FUNCTION "+quoted(table)+"()")
	})
	id, execution := b.waits(t, rows)
	b.script(t, "UPDATE backfill.runs SET free_until = clock_timestamp() + interval '1 h' WHERE run = '"+id+"'")
	status := b.completes(t, id, execution, time.Minute)
	if b.expectOnce(t); status.Rows.Affected != rows || status.Pause != nil {
		t.Fatalf("%+v, %+v", status.Rows, status.Pause)
	}
	if !slices.ContainsFunc(status.Changes, func(c run.Change) bool { return c.State == run.Paused && c.By == "" }) {
		t.Errorf("%+v", status.Changes)
	}
}

// TestAPersonGoesOverAWindow: a resume lets the run go on at once.
func TestAPersonGoesOverAWindow(t *testing.T) {
	t.Parallel()
	const rows = 10_000
	table := unique("over")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), rows))
	id, execution := b.waits(t, rows)
	b.control(t, map[string]any{"action": "resume", "run": id, "by": "the test"})
	status := b.completes(t, id, execution, time.Minute)
	if b.expectOnce(t); status.Rows.Affected != rows {
		t.Fatalf("%+v", status.Rows)
	}
	if !slices.ContainsFunc(status.Changes, func(c run.Change) bool { return c.State == run.Running && c.By == "the test" }) {
		t.Errorf("%+v", status.Changes)
	}
}
