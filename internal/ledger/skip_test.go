package ledger_test

import (
	"context"
	"fmt"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

// entries are the chunks 1 to n of 100 keys each.
func entries(n int64) []ledger.Entry {
	var all []ledger.Entry
	for i := int64(1); i <= n; i++ {
		m := hundred(i, 1)
		all = append(all, ledger.Entry{Chunk: i, Scanned: 100, Reason: "no row", Range: m.Range()})
	}
	return all
}

// hundred is the message of chunk n.
func hundred(n, send int64) chunk.Message {
	lo := ""
	if n > 1 {
		lo = fmt.Sprint(100 * (n - 1))
	}
	return message(n, lo, fmt.Sprint(100*n), send)
}

// TestSkippedChunksAreDone: they tile, they are counted, no worker takes them, and a second time changes nothing.
func TestSkippedChunksAreDone(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		claim := b.claim(t, hundred(2, 1), "worker", ledger.Claimed)
		skipped, err := b.ledger.Skip(t.Context(), theRun, entries(3))
		must(t, err)
		if diff := cmp.Diff([]int64{1, 3}, skipped); diff != "" {
			t.Fatal(diff)
		}
		again, err := b.ledger.Skip(t.Context(), theRun, entries(3))
		must(t, err)
		if len(again) > 0 {
			t.Fatalf("skipped once more: %v", again)
		}
		done := b.claim(t, hundred(1, 1), "late", ledger.Done)
		if !done.Position.Same(keyset.Point{"100"}) || done.Scanned != 100 {
			t.Fatalf("%+v", done)
		}
		must(t, b.advance(claim, ledger.Step{Keys: 100, Reached: keyset.Point{"200"}, Done: true}))
		tiling, err := b.ledger.Tiling(t.Context(), theRun)
		must(t, err)
		progress, err := b.ledger.Look(t.Context(), theRun)
		must(t, err)
		if !tiling.Complete(3) || progress.Completed != 3 || progress.Known != 3 || progress.Scanned != 300 || progress.Retries != 0 {
			t.Fatalf("%+v, %+v", tiling, progress)
		}
	})
}

// TestPeopleSeeWhyAChunkWasSkipped, and nothing of a chunk that a worker has done after it was given back.
func TestPeopleSeeWhyAChunkWasSkipped(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	_, err := b.ledger.Release(t.Context(), b.claim(t, hundred(2, 1), "worker", ledger.Claimed), 0, "deadline")
	must(t, err)
	_, err = b.ledger.Skip(t.Context(), theRun, entries(1))
	must(t, err)
	b.finish(t, hundred(2, 2))
	listed, err := b.ledger.List(t.Context(), theRun, ledger.Listing{Planned: 2, Limit: 9})
	must(t, err)
	if len(listed) != 2 || listed[0].Reason != "no row" || listed[0].State != chunk.Completed || listed[1].Reason != "" {
		t.Fatalf("%+v", listed)
	}
}

// TestOnlyARunThatGoesForwardSkips walks all states.
func TestOnlyARunThatGoesForwardSkips(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	for _, state := range run.States() {
		b.exec(t, "UPDATE backfill.runs SET state = $1", state)
		b.exec(t, "DELETE FROM backfill.ledger")
		skipped, err := b.ledger.Skip(t.Context(), theRun, entries(2))
		must(t, err)
		if (len(skipped) == 2) != state.Works() || len(skipped) == 1 {
			t.Errorf("%s: %v", state, skipped)
		}
	}
}

// TestASkipWaitsForACancel that is about to commit, and then does nothing.
func TestASkipWaitsForACancel(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		tx, err := b.conn.Begin(t.Context())
		must(t, err)
		_, err = tx.Exec(t.Context(), "UPDATE backfill.runs SET state = 'CANCELLING'")
		must(t, err)
		skipped := make(chan []int64)
		go func() {
			numbers, err := newLedger(t, db).Skip(context.Background(), theRun, entries(2))
			if err != nil {
				t.Error(err)
			}
			skipped <- numbers
		}()
		pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
		must(t, tx.Commit(t.Context()))
		if numbers := <-skipped; len(numbers) > 0 {
			t.Fatalf("skipped %v in a run that was cancelled", numbers)
		}
	})
}

// TestAClaimAndASkipAtOnce: whoever comes first has the chunk, and the other one sees it.
func TestAClaimAndASkipAtOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		other := newLedger(t, db)
		tx, err := b.conn.Begin(t.Context())
		must(t, err)
		// As Skip, which has not committed yet.
		_, err = tx.Exec(t.Context(), `INSERT INTO backfill.ledger (run, chunk, hi, "position", state) VALUES ($1, 1, '{100}', '{100}', 'COMPLETED')`, theRun)
		must(t, err)
		verdict := make(chan ledger.Verdict)
		go func() {
			claim, err := other.Claim(context.Background(), hundred(1, 1), "worker")
			if err != nil {
				t.Error(postgres.Classify(err))
			}
			verdict <- claim.Verdict
		}()
		pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
		must(t, tx.Commit(t.Context()))
		if got := <-verdict; got != ledger.Done {
			t.Fatalf("the worker is told %s", got)
		}
	})
}

// TestARollbackOfSkippedChunks: there is nothing to restore, so they are ROLLED_BACK at once, alone or with the others.
func TestARollbackOfSkippedChunks(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	_, err := b.ledger.Skip(t.Context(), theRun, entries(3))
	must(t, err)
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = now()")
	for _, chunks := range [][]int64{{2}, nil} {
		_, err = b.ledger.Reverse(t.Context(), theRun, fmt.Sprint("arn:", chunks), chunks)
		must(t, err)
		progress, err := b.ledger.Look(t.Context(), theRun)
		must(t, err)
		if want := max(int64(len(chunks)), 3*int64(1-len(chunks))); progress.Open != 0 || progress.RolledBack != want {
			t.Fatalf("%v: %+v", chunks, progress)
		}
		_, err = b.ledger.Restored(t.Context(), theRun)
		must(t, err)
	}
	stored, err := b.ledger.Run(t.Context(), theRun)
	must(t, err)
	if stored.State != run.RolledBack {
		t.Fatalf("%s", stored.State)
	}
}
