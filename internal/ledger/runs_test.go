package ledger_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

func TestManyPlannersMakeTheSchemaAtOnce(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		var all sync.WaitGroup
		for range 5 {
			entries := newLedger(t, db)
			all.Go(func() {
				if err := entries.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var versions int
		must(t, db.Connect(t).QueryRow(t.Context(), "SELECT count(*) FROM backfill.version").Scan(&versions))
		if versions != 1 {
			t.Fatalf("%d versions were recorded", versions)
		}
	})
}

func TestAnOlderSchemaIsBroughtUpToDate(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "ALTER TABLE backfill.ledger DROP COLUMN retries")
	b.exec(t, "ALTER TABLE backfill.runs DROP COLUMN beats, DROP COLUMN paused_at, DROP COLUMN paused_by, DROP COLUMN waiting")
	b.exec(t, "UPDATE backfill.version SET version = 2")
	must(t, b.ledger.Migrate(t.Context()))
	b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	b.expectDue(t, 10)
	if versions := b.number(t, "SELECT sum(version) FROM backfill.version"); versions != 2+ledger.Version {
		t.Fatalf("the versions add up to %d", versions)
	}
}

// TestTheSchemaIsBroughtUpToDateOnce: of a fleet that comes after a deployment, those that waited find it done.
func TestTheSchemaIsBroughtUpToDateOnce(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	claim := b.number(t, "SELECT max(oid::bigint) FROM pg_proc WHERE proname = 'claim'")
	b.exec(t, "UPDATE backfill.version SET version = 7")
	tx, err := b.conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock(x'6261636b66696c6c'::bigint)")
	must(t, err)
	renewed := make(chan error, 1)
	go func() { renewed <- b.ledger.Renew(t.Context()) }()
	pgtest.WaitUntil(t, b.db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory')")
	_, err = tx.Exec(t.Context(), "UPDATE backfill.version SET version = $1", ledger.Version)
	must(t, err)
	must(t, tx.Commit(t.Context()))
	must(t, <-renewed)
	if b.number(t, "SELECT max(oid::bigint) FROM pg_proc WHERE proname = 'claim'") != claim { // the script makes it anew
		t.Fatal("the script ran again")
	}
}

func TestOneRunATable(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	_, err := b.ledger.Open(t.Context(), describe("run-2", "users"))
	if !failure.Is(err, failure.Busy) || !strings.Contains(err.Error(), theRun) {
		t.Fatalf("a second run on the table: %v", err)
	}
	_, err = b.ledger.Open(t.Context(), describe("run-2", "orders"))
	must(t, err)
	same, err := b.ledger.Open(t.Context(), describe(theRun, "users"))
	must(t, err)
	if same.Run != theRun || same.Change.Table.Name != "users" {
		t.Fatalf("the same start again: %+v", same)
	}
}

func TestEveryStateTakesOnlyItsLegalMoves(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	for _, from := range run.States() {
		for _, to := range run.States() {
			b.exec(t, "UPDATE backfill.runs SET state = $1, ended_at = NULL", from)
			moved, err := b.ledger.Move(t.Context(), theRun, from, to)
			if _, legal := run.Transitions.Cause(from, to); moved != legal || legal == failure.Is(err, failure.Permanent) {
				t.Errorf("%s -> %s: moved %v (%v), legal %v", from, to, moved, err, legal)
			}
		}
	}
}

func TestAnUnknownRunIsSaid(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	if _, err := b.ledger.Run(t.Context(), "nobody"); !errors.Is(err, ledger.ErrNoRun) || !failure.Is(err, failure.Invalid) {
		t.Fatalf("unknown run: %v", err)
	}
}

func TestTilingFindsEveryBreak(t *testing.T) {
	finished := func(t *testing.T, b *bundle) {
		b.finish(t, message(1, "", "100", 1))
		b.finish(t, message(2, "100", "200", 1))
		b.finish(t, message(3, "200", "300", 1))
	}
	cases := map[string]struct {
		damage   string
		complete bool
	}{
		"all in place":        {"SELECT", true},
		"a chunk is missing":  {"DELETE FROM backfill.ledger WHERE chunk = 2", false},
		"the last is missing": {"DELETE FROM backfill.ledger WHERE chunk = 3", false},
		"a gap":               {"UPDATE backfill.ledger SET lo = '{101}' WHERE chunk = 2", false},
		"not finished":        {"UPDATE backfill.ledger SET state = 'PENDING' WHERE chunk = 2", false},
		"stopped short":       {"UPDATE backfill.ledger SET position = '{150}' WHERE chunk = 2", false},
		"short of the bound":  {"UPDATE backfill.runs SET bound = '{400}'", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			finished(t, b)
			b.exec(t, c.damage)
			tiling, err := b.ledger.Tiling(t.Context(), theRun)
			must(t, err)
			if tiling.Complete(3) != c.complete {
				t.Fatalf("%+v is complete: %v", tiling, tiling.Complete(3))
			}
		})
	}
}

func TestAnEmptyTableIsComplete(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "UPDATE backfill.runs SET bound = NULL")
	tiling, err := b.ledger.Tiling(t.Context(), theRun)
	must(t, err)
	if !tiling.Complete(0) {
		t.Fatalf("%+v", tiling)
	}
}

func TestBeatSaysWhatIsToBeSentAgain(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.finish(t, message(1, "", "100", 1))
	expiring := b.claim(t, message(2, "100", "200", 3), "dead", ledger.Claimed)
	b.expire(t)
	given := b.claim(t, message(5, "400", "500", 1), "tired", ledger.Claimed)
	_, err := b.ledger.Release(t.Context(), given, time.Hour, "deadline")
	must(t, err)
	b.claim(t, message(3, "200", "300", 1), "alive", ledger.Claimed)
	progress, again, err := b.ledger.Beat(t.Context(), theRun, 10)
	must(t, err)
	if progress.Known != 4 || progress.Completed != 1 || progress.Leases != 1 || progress.Scanned != 100 {
		t.Fatalf("progress: %+v", progress)
	}
	if len(again) != 1 || again[0].Chunk != 2 || again[0].Send != expiring.Message.Send+1 || !again[0].Hi.Same(keyset.Point{"200"}) {
		t.Fatalf("to be sent again: %+v", again)
	}
	b.expectDue(t, 10, 2) // it was not sent yet
	must(t, b.ledger.Sent(t.Context(), theRun, again))
	b.expectDue(t, 10) // it is on its way
	b.exec(t, "UPDATE backfill.ledger SET sent_at = sent_at - interval '1 hour'")
	b.expectDue(t, 10, 2) // it was lost
	unclaimed, err := b.ledger.Unclaimed(t.Context(), theRun, 6, 10)
	must(t, err)
	if len(unclaimed) != 2 || unclaimed[0] != 4 || unclaimed[1] != 6 {
		t.Fatalf("unclaimed: %v", unclaimed)
	}
}

// expectDue demands that a beat has these chunks sent.
func (b *bundle) expectDue(t *testing.T, window int64, want ...int64) {
	t.Helper()
	_, again, err := b.ledger.Beat(t.Context(), theRun, window)
	must(t, err)
	var got []int64
	for _, a := range again {
		got = append(got, a.Chunk)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("to be sent: %v, want %v", got, want)
	}
}

// TestTheWindowBoundsWhatIsOnItsWay: a rollback of many chunks must not fill the queue.
func TestTheWindowBoundsWhatIsOnItsWay(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	b.exec(t, `INSERT INTO backfill.ledger (run, chunk, hi, state, fence, send, sent)
		SELECT $1, n, ARRAY[n::text], 'PENDING', 1, 1, 1 FROM generate_series(1, 9) n`, theRun)
	b.expectDue(t, 3, 1, 2, 3)
	must(t, b.ledger.Sent(t.Context(), theRun, []ledger.Again{{Chunk: 1, Send: 2}, {Chunk: 2, Send: 2}}))
	b.expectDue(t, 3, 3)
	b.exec(t, "UPDATE backfill.runs SET state = 'ROLLING_BACK'")
	b.expectDue(t, 3)
	b.exec(t, "UPDATE backfill.ledger SET direction = 'back'")
	b.expectDue(t, 4, 9, 8) // the newest first
}

// TestADatabaseThatHasNeverSeenARun knows none; that is no error of its own.
func TestADatabaseThatHasNeverSeenARun(t *testing.T) {
	t.Parallel()
	if _, err := newLedger(t, pgtest.Newest(t)).Run(t.Context(), "run-1"); !errors.Is(err, ledger.ErrNoRun) {
		t.Fatal(err)
	}
}
