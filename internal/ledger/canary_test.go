package ledger_test

import (
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// TestTheSameChunksAreChosen by the database and by the planner, as many as the share says, and evenly.
func TestTheSameChunksAreChosen(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	for _, share := range []int64{0, 1_000, 10_000, 33_333, 100_000, 333_333, 500_000} {
		rows, _ := b.conn.Query(t.Context(), "SELECT backfill.chosen(n, $1) FROM generate_series(1, 10000) AS n", share)
		chosen, err := pgx.CollectRows(rows, pgx.RowTo[bool])
		must(t, err)
		count, last := int64(0), 0
		for i, in := range chosen {
			if in != chunk.Chosen(int64(i)+1, share) {
				t.Fatalf("chunk %d, share %d: %v in the database", i+1, share, in)
			}
			if in {
				if gap := int64(i - last); share > 0 && gap > (1_000_000+share-1)/share {
					t.Errorf("share %d: %d chunks in between", share, gap)
				}
				count, last = count+1, i
			}
		}
		if want := 9_999*share/1_000_000 + 1; share > 0 && count != want || share == 0 && count != 10_000 || !chosen[0] {
			t.Errorf("share %d: %d chunks are chosen, want %d", share, count, want)
		}
	}
}

// held is a run with a canary of half of its chunks: the first is done, of the second nobody may know, the third is held.
func held(t *testing.T) *bundle {
	t.Helper()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "CREATE TABLE users (id bigint PRIMARY KEY)")
	b.exec(t, "UPDATE backfill.runs SET canary = 400000, tables_before = 0, indexes_before = 0")
	b.move(t, run.Planning, run.Running)
	b.finish(t, message(1, "", "100", 1))
	must(t, b.ledger.HoldBack(t.Context(), theRun, []ledger.Entry{{Chunk: 3, Scanned: 77, Range: keyset.Range{Lo: keyset.Point{"200"}, Hi: keyset.Point{"300"}}}}))
	return b
}

// TestAHeldChunkIsNotSent, and its figures are apart; a letter of it is no failure, and a gap that is planned anew is held as well.
func TestAHeldChunkIsNotSent(t *testing.T) {
	t.Parallel()
	b := held(t)
	must(t, b.ledger.Fill(t.Context(), theRun, []ledger.Entry{{Chunk: 2, State: chunk.Pending, Range: keyset.Range{Lo: keyset.Point{"100"}, Hi: keyset.Point{"200"}}}}))
	progress, again, err := b.ledger.Beat(t.Context(), theRun, 10)
	must(t, err)
	if len(again) != 0 || progress.Held != 2 || progress.Waiting != 0 || progress.Open != 0 || progress.Known != 3 || progress.Canary != 400_000 {
		t.Errorf("%+v, %+v", again, progress)
	}
	fate, err := b.ledger.Bury(t.Context(), message(3, "200", "300", 1), time.Now().Add(time.Hour), 1, "dead")
	must(t, err)
	if fate != "gone on" {
		t.Errorf("its letter has %s", fate)
	}
	b.exec(t, "UPDATE backfill.runs SET canary = 0")
	if progress, again, err = b.ledger.Beat(t.Context(), theRun, 10); err != nil || len(again) != 2 || progress.Held != 0 || progress.Open != 2 {
		t.Errorf("after the approval %+v, %+v, %v", again, progress, err)
	}
}

// TestACanaryWaitsForWhatItTook: the worker notes that after its last batch. One that has died does not keep the run waiting.
func TestACanaryWaitsForWhatItTook(t *testing.T) {
	t.Parallel()
	b := held(t)
	expect := func(waits bool, stays int) {
		t.Helper()
		found, err := b.ledger.Ripen(t.Context(), theRun, false)
		must(t, err)
		if found.Waits != waits || len(found.Stays) != stays || !waits && (found.Left.Chunks != 1 || found.Left.Keys != 77) {
			t.Errorf("%+v", found)
		}
	}
	expect(true, 0)
	b.exec(t, "UPDATE backfill.ledger SET updated_at = updated_at - interval '11 s'")
	expect(false, 0)
	b.exec(t, "UPDATE backfill.ledger SET updated_at = clock_timestamp()")
	from, err := b.ledger.Meter(t.Context())
	must(t, err)
	must(t, b.ledger.Stayed(t.Context(), ledger.Claim{Message: message(1, "", "100", 1), Fence: 1}, from, 100, 90))
	expect(false, 1)
}

// TestAChunkThatWasLookedAtInPartIsLookedAtAnew, whoever ended the run in the middle: also a version that left its figures there. A look whose execution is lost
// goes on, with figures up to its position.
func TestAChunkThatWasLookedAtInPartIsLookedAtAnew(t *testing.T) {
	t.Parallel()
	b := held(t)
	part := func(send int64) {
		t.Helper()
		b.exec(t, "UPDATE backfill.ledger SET updated_at = updated_at - interval '11 s'") // its worker has died before it told what it took
		if found, err := b.ledger.Ripen(t.Context(), theRun, true); err != nil || !found.Waits {
			t.Fatalf("%+v, %v", found, err)
		}
		claim := b.claim(t, message(1, "", "100", send), "looker", ledger.Claimed)
		if !claim.Verifies || claim.Position != nil || b.text(t, "SELECT concat_ws(' ', looked, fitting, deviating, digest, nulls) FROM backfill.ledger WHERE chunk = 1") != "0 0 0" {
			t.Fatalf("%+v", claim)
		}
		must(t, b.advance(claim, ledger.Step{Keys: 40, Reached: keyset.Point{"40"}}))
		b.exec(t, "UPDATE backfill.ledger SET fitting = 40, deviating = 1, digest = 7, nulls = '{3}' WHERE chunk = 1")
	}
	part(2)
	b.exec(t, "UPDATE backfill.runs SET heartbeat = clock_timestamp() - interval '2 hours'")
	_, err := b.ledger.Revive(t.Context(), theRun, "arn:second")
	must(t, err)
	b.expire(t)
	if claim := b.claim(t, message(1, "", "100", 3), "another", ledger.Claimed); !claim.Verifies || !claim.Position.Same(keyset.Point{"40"}) {
		t.Fatalf("%+v", claim)
	}
	closed, err := b.ledger.Close(t.Context(), theRun, "arn:second", run.Cancelled, "no")
	if err != nil || !closed {
		t.Fatal(closed, err)
	}
	b.expire(t)
	_, _, err = b.ledger.Finish(t.Context(), theRun)
	must(t, err)
	if left := b.text(t, "SELECT concat_ws(' ', state, direction, \"position\", looked, fitting, deviating, digest, nulls) FROM backfill.ledger WHERE chunk = 1"); left != "COMPLETED forward {100} 0 0 0" {
		t.Errorf("left of the look is %q", left)
	}
	b.exec(t, "UPDATE backfill.ledger SET looked = 40, fitting = 40, deviating = 1, digest = 7, nulls = '{3}' WHERE chunk = 1") // as the version before did
	_, err = b.ledger.Revive(t.Context(), theRun, "arn:third")
	must(t, err)
	part(4)
}
