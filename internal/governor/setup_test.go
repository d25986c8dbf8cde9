package governor_test

import (
	"strings"
	"testing"

	"backfill/internal/canary"
	"backfill/internal/change"
	"backfill/internal/closing"
	"backfill/internal/completion"
	"backfill/internal/following"
	"backfill/internal/governor"
	"backfill/internal/inquiry"
	"backfill/internal/pausing"
	"backfill/internal/rebuild"
	"backfill/internal/regulator"
	"backfill/internal/repair"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

const (
	lookAhead = 6
	segment   = "arn:segment"
)

// all are the chunks of the run.
var all = []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

// bundle is a run of twelve chunks, and a governor whose beats are one sample each.
type bundle struct {
	*runtest.Bench
	governor *governor.Governor
	letters  *runtest.Letters
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.New(t), letters: &runtest.Letters{}}
	b.Begin(t, 12)
	b.governor = b.another()
	return b
}

// another is a governor in an environment of its own.
func (b *bundle) another() *governor.Governor {
	return &governor.Governor{
		Ledger: b.Ledger, Records: b.Records,
		Repairer:  repair.New(b.Ledger, b.Dispatcher, b.Clock.Now),
		Drainer:   repair.Drainer{Letters: b.letters, Ledger: b.Ledger, Records: b.Records},
		Completer: completion.New(b.Ledger, b.Records).Asking(inquiry.Inquirer{Session: b.Session}),
		Canaries:  canary.Canaries{Ledger: b.Ledger, Pauser: pausing.New(b.Ledger, b.Records)},
		Follower:  following.Follower{Session: b.Session, Ledger: b.Ledger, Records: b.Records},
		Closer:    closing.New(b.Ledger, b.Records),
		Pauser:    pausing.New(b.Ledger, b.Records),
		Rebuilder: rebuild.Rebuilder{Session: b.Session, Ledger: b.Ledger, Records: b.Records},
		Regulator: regulator.Regulator{Session: b.Session, Ledger: b.Ledger},
		LookAhead: lookAhead, MaxWorkers: 4,
	}
}

// beat makes a beat in the middle of a segment.
func (b *bundle) beat(t *testing.T) turn.Turn {
	t.Helper()
	return b.beatOf(t, turn.Turn{Run: runtest.ID, Beat: 3, Budget: 400})
}

func (b *bundle) beatOf(t *testing.T, in turn.Turn) turn.Turn {
	t.Helper()
	out, err := b.governor.Beat(t.Context(), in)
	must(t, err)
	if out.Run != in.Run || out.Beat != in.Beat+1 || out.Budget != in.Budget || out.Segment != "" {
		t.Fatalf("%+v, from %+v", out, in)
	}
	return out
}

// older takes the schema back to the version before, as a run has it that began before the deployment.
func (b *bundle) older(t *testing.T) {
	t.Helper()
	b.Exec(t, "ALTER TABLE backfill.ledger DROP COLUMN advanced_at")
	b.Exec(t, "UPDATE backfill.version SET version = 7")
}

// cancel closes the run in the ledger; the record is not told.
func (b *bundle) cancel(t *testing.T) {
	t.Helper()
	_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "enough")
	must(t, err)
}

// onFailure gives the run another way to deal with failed chunks.
func (b *bundle) onFailure(t *testing.T, way change.OnFailure) {
	t.Helper()
	b.Exec(t, `UPDATE backfill.runs SET change = (change::jsonb || jsonb_build_object('on_failure', $1::text))::json`, way)
}

// awaited has a transaction go on that the run has to wait for.
func (b *bundle) awaited(t *testing.T) {
	t.Helper()
	tx, err := b.DB.Connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE backfill.changes IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	b.Exec(t, "UPDATE backfill.runs SET writers = backfill.writers('backfill.changes')")
}

// expect compares what a beat told, and what both stores hold after it.
func (b *bundle) expect(t *testing.T, got turn.Turn, next turn.Next, state run.State, reason string) {
	t.Helper()
	if got.Next != next || got.State != state || !strings.Contains(got.Reason, reason) {
		t.Fatalf("the beat says %s, %s (%s); want %s, %s (%s)", got.Next, got.State, got.Reason, next, state, reason)
	}
	b.Expect(t, state, got.Reason)
	b.expectNotice(t, got)
}

// expectNotice: people are told of an end, and of a pause that does not end by itself; with the run, the reason and a command.
func (b *bundle) expectNotice(t *testing.T, got turn.Turn) {
	t.Helper()
	pause := b.Record(t).Status.Pause
	tells := got.Next == turn.End || got.Next == turn.Pause && pause.For != run.ForWindow
	if tells != (got.Notice != "") {
		t.Errorf("of %s, %s people are told %q", got.Next, got.State, got.Notice)
	}
	for _, part := range []string{"Run " + got.Run, string(got.State), got.Reason, "`backfill ", got.Run + "`"} {
		if tells && !strings.Contains(got.Notice, part) {
			t.Errorf("%q is not in %q", part, got.Notice)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
