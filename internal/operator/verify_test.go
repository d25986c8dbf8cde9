package operator

import (
	"testing"
	"time"

	"backfill/internal/request"
	"backfill/internal/run"
)

// verification is one that goes on.
func verification(verified int64) run.Status {
	status := kept(working())
	status.Action, status.State = request.Verify, run.Verifying
	status.Rows = run.Rows{Estimated: 1_000_000, Scanned: 1_000_000, Affected: 980_000, Verified: verified}
	status.Chunks = run.Chunks{Total: 10, Pending: 8, Processing: 2, Retries: 1, AllPlanned: true}
	if verified > 0 {
		status.Rows.Deviating, status.Rows.Mended = 12, 12
		status.Chunks.Pending, status.Chunks.Completed = 5, 3
	}
	return status
}

// verificationLost is one whose execution is gone.
func verificationLost() run.Status {
	status := verification(300_000)
	status.UpdatedAt = noon.Add(-time.Hour)
	return status
}

// certified is a run that was verified.
func certifiedRun(holds bool) run.Status {
	status := reversible()
	status.Rows.Verified, status.Rows.Deviating = 1_000_000, 12
	status.Reason = "verified: the ledger tiles the key space, 1,000,000 rows looked at, 12 deviated, 12 written again"
	certificate := certificateOf(holds)
	status.Certificate = &certificate
	if holds {
		status.Rows.Mended = 12
	} else {
		status.Reason = "verified, and it does not hold: the ledger tiles the key space, 1,000,000 rows looked at, 12 deviate"
	}
	return status
}

func certificateOf(holds bool) run.Certificate {
	c := run.Certificate{At: noon, Backfill: "users-email-normalized", Definition: "c0ffee", Holds: holds, Tiled: true, Chunks: 10,
		Values:    &run.Values{Chunks: 10, Rows: 1_000_000, InScope: 990_000, Deviating: 12, Digest: "-12345678901234567890"},
		Invariant: &run.Invariant{Query: "SELECT count(*) = 0 FROM users WHERE email_normalized IS NULL", Holds: holds}}
	if holds {
		c.Values.Mended, c.Values.Wrote = 12, true
		c.SQL = []string{`ALTER TABLE "public"."users" ADD CONSTRAINT "a" CHECK ("a" IS NOT NULL) NOT VALID`, `ALTER TABLE "public"."users" VALIDATE CONSTRAINT "a"`}
	}
	return c
}

// blindly is a run that was verified without a look at its rows.
func blindly() run.Status {
	status := reversible()
	const unfit = "an expression is volatile, so what a row should hold cannot be worked out again"
	status.Reason = "verified: the ledger tiles the key space, the invariant holds; rows were not looked at: " + unfit
	certificate := certificateOf(true)
	certificate.Values, certificate.SQL, certificate.Unfit = nil, nil, unfit
	status.Certificate = &certificate
	return status
}

// deviates is a certificate with SQL all the same.
func deviates() run.Certificate {
	c := certificateOf(false)
	c.SQL = certificateOf(true).SQL
	return c
}

func uncertified() run.Status {
	status := reversible()
	status.Reason, status.Rows.Verified = run.Unverified+"cancelled by bob@host", 300_000
	return status
}

func unjudged() run.Certificate {
	c, left, rows := certificateOf(false), true, 3.0
	c.Values, c.Unfit, c.Left, c.Tiled, c.RolledBack = nil, "its rows are gone from the table", &left, false, 2
	c.Invariant.Rows = &rows
	return c
}

func answersCertificate(c run.Certificate) func(*bundle) {
	return answers("certificate", map[string]any{"run": "email-1", "certificate": c, "chunks": []any{}})
}

func uncertifiable() func(*bundle) {
	return func(b *bundle) {
		answers("status", reversible())(b)
		answers("certificate", classed("Backfill.Invalid", "run email-1 has no certificate: it was not verified since it was done, or that did not come to its end; `backfill verify email-1`"))(b)
	}
}

var verificationTranscripts = map[string]transcript{
	"certificate":         {[]string{"certificate", "email-1"}, answersCertificate(certificateOf(true))},
	"certificate-broken":  {[]string{"certificate", "email-1"}, answersCertificate(unjudged())},
	"certificate-nulls":   {[]string{"certificate", "email-1"}, answersCertificate(deviates())},
	"status-blindly":      {[]string{"status", "email-1"}, answers("status", blindly())},
	"certificate-none":    {[]string{"certificate", "email-1"}, uncertifiable()},
	"status-verifying":    {[]string{"status", "email-1"}, answers("status", verification(300_000))},
	"status-certified":    {[]string{"status", "email-1"}, answers("status", certifiedRun(true))},
	"status-unverified":   {[]string{"status", "email-1"}, answers("status", uncertified())},
	"cancel-verification": {[]string{"cancel", "email-1"}, answers("cancel", uncertified())},
}

func TestVerificationTranscripts(t *testing.T) { transcribe(t, verificationTranscripts) }
