package canary_test

import (
	"encoding/json"
	"testing"

	"backfill/internal/pausing"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

const (
	rows = 4000
	// counters holds n = id, so n shows how often a row was changed.
	counters = `CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL, twice int, CONSTRAINT small CHECK (n < 1000000)) WITH (autovacuum_enabled = off);
		INSERT INTO counters SELECT g, g FROM generate_series(1, 4000) g; ANALYZE counters`
	increment = "name: increment\ntable: counters\nset: {n: n + 1}\nchunk_rows: 100\n"
	double    = "name: double\ntable: counters\nset: {twice: n * 2}\nchunk_rows: 100\n"
)

// bundle is a table of counters, and the line of a run with a canary over it.
type bundle struct {
	*runtest.Bench
	line   *runtest.Line
	pauser *pausing.Pauser
}

func setup(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	db.Exec(t, counters)
	b := &bundle{Bench: runtest.On(t, db)}
	b.line, b.pauser = b.Line(t), pausing.New(b.Ledger, b.Records)
	return b
}

// start starts a run with a canary, and demands that it waits for an approval.
func (b *bundle) start(t *testing.T, definition, share string) run.Status {
	t.Helper()
	return b.waits(t, b.line.Run(t, b.request(t, definition, share), runtest.Execution))
}

func (b *bundle) request(t *testing.T, definition, share string) json.RawMessage {
	t.Helper()
	input, err := json.Marshal(map[string]any{"action": "start", "run": runtest.ID, "definition": definition, "canary": share})
	must(t, err)
	return input
}

func (b *bundle) waits(t *testing.T, got turn.Turn) run.Status {
	t.Helper()
	status := b.Record(t).Status
	if got.Next != turn.Pause || status.State != run.Paused || status.Pause == nil || status.Pause.For != run.ForCanary || status.Canary == nil || status.Canary.Forecast == nil {
		t.Fatalf("%+v, %+v", got, status)
	}
	return status
}

// goOn has the run watched until it ends, or pauses.
func (b *bundle) goOn(t *testing.T) turn.Turn {
	t.Helper()
	return b.line.Watch(t, turn.Turn{Run: runtest.ID, Next: turn.Beat})
}

func (b *bundle) approve(t *testing.T) turn.Turn {
	t.Helper()
	_, err := b.pauser.Approve(t.Context(), runtest.ID, "ann")
	must(t, err)
	return b.goOn(t)
}

// expectChanged demands how many rows were changed, each of them once.
func (b *bundle) expectChanged(t *testing.T, want int64) {
	t.Helper()
	if got := b.Number(t, "SELECT count(*) FROM counters WHERE n = id + 1"); got != want || b.Number(t, "SELECT count(*) FROM counters WHERE n NOT IN (id, id + 1)") > 0 {
		t.Errorf("%d rows were changed once, want %d", got, want)
	}
}

func (b *bundle) expectEnd(t *testing.T, got turn.Turn, state run.State) {
	t.Helper()
	if got.Next != turn.End || got.State != state {
		t.Fatalf("%+v; want %s", got, state)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
