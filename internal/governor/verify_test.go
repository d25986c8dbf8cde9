package governor_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// verify has the run verified, once it is COMPLETED, as the planner does. Invariant is the query of its definition.
func (b *bundle) verify(t *testing.T, values bool, invariant string) {
	t.Helper()
	b.Plan(t, 12)
	b.Finish(t, all...)
	b.expect(t, b.beat(t), turn.End, run.Completed, "")
	b.Queue.Take()
	b.Exec(t, `UPDATE backfill.runs SET change = (change::jsonb || jsonb_build_object('verify', jsonb_build_object('values', $1::boolean, 'query', $2::text, 'counts', true)))::json`,
		values, invariant)
	stored, err := b.Ledger.Verify(t.Context(), runtest.ID, runtest.Later, true)
	must(t, err)
	must(t, b.Records.Reopen(t.Context(), runtest.ID, stored.Action, stored.State, runtest.Later))
}

// look has a worker verify a chunk in one batch.
func (b *bundle) look(t *testing.T, chunk, deviating, mended int64) {
	t.Helper()
	sql, args := b.Claim(t, chunk, 2).Advance(ledger.Step{Keys: 90, Done: true, Timeout: time.Minute})
	b.Exec(t, sql, args...)
	b.Exec(t, `UPDATE backfill.ledger SET "position" = hi, fitting = 80, deviating = $2, mended = $3, digest = 7 WHERE chunk = $1`, chunk, deviating, mended)
}

// TestAVerificationEndsWithACertificate, in the ledger and in the record; the run is COMPLETED as before.
func TestAVerificationEndsWithACertificate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.verify(t, true, "(SELECT 0)")
	b.expect(t, b.beat(t), turn.Beat, run.Verifying, "")
	if sent := b.Queue.Numbers(); len(sent) != lookAhead || sent[0] != [2]int64{1, 2} {
		t.Fatalf("sent %v", sent)
	}
	for _, n := range all {
		b.look(t, n, n%2, n%2)
	}
	b.beat(t)
	b.Expect(t, run.Completed, "verified: the ledger tiles the key space, 1,080 rows looked at, 6 deviated, 6 written again, the invariant holds")
	status := b.Record(t).Status
	c := status.Certificate
	if c == nil || !c.Holds || !c.Tiled || c.Chunks != 12 || c.Values == nil || c.Values.Digest != "84" || c.Values.InScope != 960 || c.Values.Chunks != 12 ||
		c.Invariant == nil || c.Invariant.Query != "SELECT 0" || len(c.Definition) != 64 || c.SQL != nil {
		t.Fatalf("%+v", c)
	}
	if status.Action != "start" || status.Rows.Verified != 1080 || status.Rows.Mended != 6 || status.Rows.Scanned != 1200 {
		t.Fatalf("%+v", status)
	}
	if got := b.beat(t); got.Next != turn.End || got.State != run.Completed { // a beat that is repeated
		t.Fatalf("%+v", got)
	}
}

// TestAVerificationThatDoesNotHoldFailsItsExecution, and not the run, also where the beat that found it did not live to tell.
func TestAVerificationThatDoesNotHoldFailsItsExecution(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values          bool
		invariant, want string
		deviate, mend   int64
	}{
		"a row that was not written": {true, "", "12 deviated, 11 written again", 12, 11},
		"the invariant":              {false, "(SELECT 3)", "the invariant does not hold: it gives 3", 0, 0},
		"no answer":                  {false, "(SELECT 1/0)", "the invariant has no answer: it failed: SQLSTATE 22012", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.verify(t, c.values, c.invariant)
			for _, n := range all {
				if c.values && n == 1 {
					b.look(t, n, c.deviate, c.mend)
				} else if c.values {
					b.look(t, n, 0, 0)
				}
			}
			for range 2 {
				got := b.beat(t)
				if got.Next != turn.End || got.State != run.Failed || !strings.Contains(got.Reason, "verified, and it does not hold: ") || !strings.Contains(got.Reason, c.want) {
					t.Fatalf("%+v", got)
				}
				b.Expect(t, run.Completed, got.Reason)
			}
			if certificate := b.Record(t).Status.Certificate; certificate == nil || certificate.Holds {
				t.Fatalf("%+v", certificate)
			}
		})
	}
}

// TestAVerificationThatEndsEarly leaves the run COMPLETED as before, and ends its execution as it was closed.
func TestAVerificationThatEndsEarly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, b *bundle)
		as     run.State
		reason string
	}{
		"cancelled": {func(t *testing.T, b *bundle) {
			_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Later, run.Cancelled, "enough")
			must(t, err)
		}, run.Cancelled, "not verified: enough"},
		"a chunk that failed": {func(t *testing.T, b *bundle) {
			_, err := b.Ledger.Fail(t.Context(), b.Claim(t, 3, 2), "SQLSTATE 22012")
			must(t, err)
		}, run.Failed, "not verified: chunk 3 failed: SQLSTATE 22012"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.onFailure(t, "pause") // that is for a run that goes forward
			b.verify(t, true, "")
			b.look(t, 1, 1, 1)
			c.before(t, b)
			for range 2 { // it may not have lived to tell
				if got := b.beat(t); got.Next != turn.End || got.State != c.as {
					t.Fatalf("%+v", got)
				}
				b.Expect(t, run.Completed, c.reason)
			}
			if status := b.Record(t).Status; status.Certificate != nil || status.Chunks.Completed != 12 || status.Action != "start" {
				t.Fatalf("%+v", status)
			}
		})
	}
}

// TestASecondVerificationIsNoDatabaseThatWentBack: what was looked at is counted anew.
func TestASecondVerificationIsNoDatabaseThatWentBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.verify(t, true, "")
	for _, n := range all {
		b.look(t, n, 0, 0)
	}
	b.beat(t)
	stored, err := b.Ledger.Verify(t.Context(), runtest.ID, runtest.Execution, true)
	must(t, err)
	must(t, b.Records.Reopen(t.Context(), runtest.ID, stored.Action, stored.State, runtest.Execution))
	b.expect(t, b.beat(t), turn.Beat, run.Verifying, "")
	if status := b.Record(t).Status; status.Rows.Verified != 0 || status.Certificate != nil {
		t.Fatalf("%+v", status)
	}
}
