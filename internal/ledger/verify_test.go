package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// completed is a run of three chunks that is COMPLETED, and whose rows are verified by value.
func completed(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	b := setup(t, db)
	b.exec(t, `UPDATE backfill.runs SET change = (change::jsonb || '{"verify": {"values": true}}')::json`)
	b.move(t, run.Planning, run.Running)
	for n := int64(1); n <= 3; n++ {
		b.finish(t, chunkOf(n, 1))
	}
	b.move(t, run.Running, run.Completed)
	return b
}

func chunkOf(n, send int64) chunk.Message {
	lo := ""
	if n > 1 {
		lo = fmt.Sprint(n*100 - 100)
	}
	return message(n, lo, fmt.Sprint(n*100), send)
}

func (b *bundle) verify(t *testing.T, execution string, mends bool) ledger.Run {
	t.Helper()
	r, err := b.ledger.Verify(t.Context(), theRun, execution, mends)
	must(t, err)
	return r
}

func (b *bundle) text(t *testing.T, sql string) (s string) {
	t.Helper()
	must(t, b.conn.QueryRow(t.Context(), sql).Scan(&s))
	return s
}

// was is what of a run's chunks a verification must leave as it was.
const was = `SELECT string_agg(concat_ws(' ', chunk, state, direction, "position", scanned, affected, reason, lease_until), '; ' ORDER BY chunk) FROM backfill.ledger`

func TestAVerificationOpensEachChunkOnceMore(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := completed(t, db)
		before := b.text(t, was)
		fence := b.text(t, "SELECT string_agg(fence::text, ' ') FROM backfill.ledger")
		r := b.verify(t, "arn:verify", true)
		if r.State != run.Verifying || r.Action != "verify" {
			t.Fatalf("%+v", r)
		}
		if fence == b.text(t, "SELECT string_agg(fence::text, ' ') FROM backfill.ledger") {
			t.Error("the fence is that of before")
		}
		if _, err := b.ledger.Open(t.Context(), describe("run-2", "users")); !failure.Is(err, failure.Busy) {
			t.Errorf("another run on the table: %v", err)
		}
		progress, again, err := b.ledger.Beat(t.Context(), theRun, 10)
		must(t, err)
		if progress.Open != 3 || len(again) != 3 || again[0].Chunk != 1 || again[0].Send != 2 {
			t.Fatalf("%d open, %+v", progress.Open, again)
		}
		if certified, err := b.ledger.Certify(t.Context(), theRun, run.Certificate{}, "too early"); certified || err != nil {
			t.Fatalf("certified %t while chunks are open, %v", certified, err)
		}
		for n := int64(1); n <= 3; n++ {
			claim := b.claim(t, chunkOf(n, 2), "looker", ledger.Claimed)
			if !claim.Verifies || !claim.Mends || claim.Back || claim.Position != nil {
				t.Fatalf("%+v", claim)
			}
			must(t, b.advance(claim, ledger.Step{Keys: 70, Reached: claim.Message.Hi, Done: true}))
		}
		certificate := run.Certificate{Holds: true, Tiled: true, Chunks: 3}
		for _, want := range []bool{true, false} { // once
			certified, err := b.ledger.Certify(t.Context(), theRun, certificate, "verified: all")
			must(t, err)
			if certified != want {
				t.Fatalf("certified: %t", certified)
			}
		}
		if after := b.text(t, was); after != before {
			t.Errorf("the chunks were\n%s, and are\n%s", before, after)
		}
		tiling, err := b.ledger.Tiling(t.Context(), theRun)
		must(t, err)
		progress, err = b.ledger.Look(t.Context(), theRun)
		must(t, err)
		if !tiling.Complete(3) || progress.State != run.Completed || progress.Action != "start" || progress.Looked != 210 || progress.Scanned != 300 ||
			progress.Certified == nil || !progress.Certified.Holds || progress.Reason != "verified: all" {
			t.Fatalf("%+v, %+v", tiling, progress)
		}
		if r = b.verify(t, "arn:verify", true); r.State != run.Completed { // a step that is repeated late
			t.Fatalf("%+v", r)
		}
	})
}

// TestWhatGoesOnTakesTheCertificateAway: a run that is retried or rolled back is no longer the one that was certified.
func TestWhatGoesOnTakesTheCertificateAway(t *testing.T) {
	t.Parallel()
	for name, goOn := range map[string]func(b *bundle) error{
		"retry": func(b *bundle) error {
			b.exec(t, "INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) VALUES ($1, 1, '{7}', '22012', '')", theRun)
			_, err := b.ledger.Retry(t.Context(), theRun, "arn:other")
			return err
		},
		"rollback": func(b *bundle) error {
			_, err := b.ledger.Reverse(t.Context(), theRun, "arn:other", nil)
			return err
		},
		"verify": func(b *bundle) error {
			_, err := b.ledger.Verify(t.Context(), theRun, "arn:other", false)
			return err
		},
	} {
		b := completed(t, pgtest.Newest(t))
		b.exec(t, `UPDATE backfill.runs SET certificate = '{"holds": true}'`)
		must(t, goOn(b))
		if left := b.text(t, "SELECT coalesce(certificate::text, '') FROM backfill.runs"); left != "" {
			t.Errorf("after a %s: %s", name, left)
		}
	}
}

// TestAVerificationThatIsCancelledLeavesTheRunAsItWas, without a certificate, as soon as no lease lives.
func TestAVerificationThatIsCancelledLeavesTheRunAsItWas(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := completed(t, db)
		before := b.text(t, was)
		r := b.verify(t, "arn:verify", true)
		done, half := b.claim(t, chunkOf(1, 2), "looker", ledger.Claimed), b.claim(t, chunkOf(2, 2), "looker", ledger.Claimed)
		must(t, b.advance(done, ledger.Step{Keys: 70, Reached: done.Message.Hi, Done: true}))
		must(t, b.advance(half, ledger.Step{Keys: 30, Reached: []string{"150"}}))
		if _, err := b.ledger.Fail(t.Context(), b.claim(t, chunkOf(3, 2), "looker", ledger.Claimed), "a reason"); err != nil {
			t.Fatal(err)
		}
		if closed, err := b.ledger.Close(t.Context(), theRun, r.Execution, run.Cancelled, "cancelled by ann"); !closed || err != nil {
			t.Fatalf("closed %t, %v", closed, err)
		}
		if state, _, err := b.ledger.Finish(t.Context(), theRun); state != run.Cancelling || err != nil {
			t.Fatalf("%s while a lease lives, %v", state, err)
		}
		half.Seq++
		if err := b.advance(half, ledger.Step{Keys: 30, Reached: []string{"180"}}); err == nil {
			t.Fatal("a batch began after the cancel")
		}
		b.expire(t)
		state, reason, err := b.ledger.Finish(t.Context(), theRun)
		must(t, err)
		if state != run.Completed || reason != run.Unverified+"cancelled by ann" {
			t.Fatalf("%s (%s)", state, reason)
		}
		if after := b.text(t, was); after != before {
			t.Errorf("the chunks were\n%s, and are\n%s", before, after)
		}
		progress, err := b.ledger.Look(t.Context(), theRun)
		must(t, err)
		if progress.Certified != nil || progress.Action != "start" || progress.ClosesAs != run.Cancelled || progress.Looked != 70 { // of the chunk that was looked at whole
			t.Fatalf("%+v", progress)
		}
		if r = b.verify(t, "arn:again", false); r.State != run.Verifying {
			t.Fatalf("%+v", r)
		}
	})
}

// TestAVerificationIsPausedAndGoesOn as a verification.
func TestAVerificationIsPausedAndGoesOn(t *testing.T) {
	t.Parallel()
	b := completed(t, pgtest.Newest(t))
	b.verify(t, "arn:verify", true)
	for _, step := range []func() error{
		func() error { _, err := b.ledger.Pause(t.Context(), theRun, "ann", "lunch"); return err },
		func() error { _, _, err := b.ledger.Rest(t.Context(), theRun); return err },
	} {
		must(t, step())
	}
	b.claim(t, chunkOf(1, 2), "looker", ledger.Closed)
	if _, err := b.ledger.Unpause(t.Context(), theRun, "ann", ""); err != nil {
		t.Fatal(err)
	}
	r, err := b.ledger.Run(t.Context(), theRun)
	must(t, err)
	if r.State != run.Verifying {
		t.Fatalf("%+v", r)
	}
	b.claim(t, chunkOf(1, 2), "looker", ledger.Claimed)
}

// TestALostVerificationIsResumed as a verification, by another execution.
func TestALostVerificationIsResumed(t *testing.T) {
	t.Parallel()
	b := completed(t, pgtest.Newest(t))
	b.verify(t, "arn:verify", true)
	b.exec(t, "UPDATE backfill.runs SET heartbeat = clock_timestamp() - interval '2 hours'")
	r, err := b.ledger.Revive(t.Context(), theRun, "arn:later")
	must(t, err)
	if r.State != run.Verifying || r.Execution != "arn:later" {
		t.Fatalf("%+v", r)
	}
}

// TestAWorkerOfTheVersionBeforeGetsNoChunkOfAVerification: it would apply the change.
func TestAWorkerOfTheVersionBeforeGetsNoChunkOfAVerification(t *testing.T) {
	t.Parallel()
	b := completed(t, pgtest.Newest(t))
	b.verify(t, "arn:verify", false)
	verdict := b.text(t, "SELECT verdict FROM backfill.claim('run-1', 1, NULL, '{100}', 2, 'old', interval '1 h', interval '1 h')")
	if verdict != "early" {
		t.Fatalf("verdict %s", verdict)
	}
	b.claim(t, chunkOf(1, 2), "new", ledger.Claimed)
}

// TestWhichRunsAreVerified: those that are COMPLETED; of these chunks that are not rolled back.
func TestWhichRunsAreVerified(t *testing.T) {
	t.Parallel()
	b := completed(t, pgtest.Newest(t))
	for state, want := range map[run.State]string{
		run.Running: "wait for its end", run.Cancelled: "resume it first", run.Failed: "resume it first", run.RolledBack: "nothing left to verify",
	} {
		b.exec(t, "UPDATE backfill.runs SET state = $1", state)
		if _, err := b.ledger.Verify(t.Context(), theRun, "arn:verify", true); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", state, err)
		}
	}
	b.exec(t, `UPDATE backfill.runs SET state = 'COMPLETED', undo_swept_at = now(), change = (change::jsonb || '{"undo": true}')::json`)
	if _, err := b.ledger.Verify(t.Context(), theRun, "arn:verify", true); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "--no-write") {
		t.Errorf("a run whose undo is gone: %v", err)
	}
	b.exec(t, "UPDATE backfill.runs SET undo_swept_at = NULL")
	b.exec(t, "UPDATE backfill.ledger SET state = 'ROLLED_BACK', direction = 'back' WHERE chunk = 2")
	b.verify(t, "arn:verify", true)
	if open := b.text(t, "SELECT string_agg(chunk::text, ' ' ORDER BY chunk) FROM backfill.ledger WHERE state = 'PENDING'"); open != "1 3" {
		t.Errorf("chunks %s are open", open)
	}
	if _, err := b.ledger.Verify(t.Context(), "run-0", "arn:verify", true); !failure.Is(err, failure.Invalid) {
		t.Errorf("a run that is not known: %v", err)
	}
}

// TestWhereRowsAreNotLookedAtNoChunkIsOpen.
func TestWhereRowsAreNotLookedAtNoChunkIsOpen(t *testing.T) {
	t.Parallel()
	b := completed(t, pgtest.Newest(t))
	b.exec(t, `UPDATE backfill.runs SET change = (change::jsonb || '{"verify": {"unfit": "volatile"}}')::json`)
	b.verify(t, "arn:verify", true)
	progress, err := b.ledger.Look(t.Context(), theRun)
	must(t, err)
	if mends := b.text(t, "SELECT mends::text FROM backfill.runs"); progress.Open != 0 || progress.State != run.Verifying || mends != "false" {
		t.Fatalf("%+v, mends %s", progress, mends)
	}
	if certified, err := b.ledger.Certify(t.Context(), theRun, run.Certificate{}, ""); !certified || err != nil {
		t.Fatalf("certified %t, %v", certified, err)
	}
}
