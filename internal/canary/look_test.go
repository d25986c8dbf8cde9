package canary_test

import (
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// TestACanaryIsVerifiedByValue where the kind can be: a row that somebody changes after it was written is found, and left alone.
func TestACanaryIsVerifiedByValue(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.Exec(t, `CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.twice := CASE WHEN NEW.id % 50 = 0 THEN -1 ELSE NEW.twice END; RETURN NEW; END $$;
		CREATE TRIGGER meddle BEFORE UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION meddle()`)
	status := b.start(t, double, "10%")
	f := status.Canary.Forecast
	if f.Verified == nil || *f.Verified != (run.Checked{Rows: 400, Deviating: 8}) || !strings.Contains(status.Reason, "8 of 400 do NOT hold what they should") {
		t.Fatalf("%+v, %q", f.Verified, status.Reason)
	}
	if b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE direction <> 'forward' OR digest IS NOT NULL OR looked > 0 OR mended > 0") > 0 ||
		b.Number(t, "SELECT count(*) FROM counters WHERE twice = -1") != 8 {
		t.Error("the verification left something behind")
	}
	b.Exec(t, "DROP TRIGGER meddle ON counters")
	b.expectEnd(t, b.approve(t), run.Completed)
	if got := b.Number(t, "SELECT count(*) FROM counters WHERE twice = 2 * n"); got != rows-8 {
		t.Errorf("%d rows hold what they should", got)
	}
}
