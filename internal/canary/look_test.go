package canary_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
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

// looked is a table whose expression fails on some rows as soon as the canary is looked at, and not before.
func looked(t *testing.T, sqlstate, rows string) *bundle {
	t.Helper()
	b := setup(t, pgtest.Newest(t))
	b.Exec(t, `CREATE TABLE looks (chunk bigint);
		CREATE FUNCTION note_look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO looks VALUES (NEW.chunk); RETURN NULL; END $$;
		CREATE TRIGGER note_look AFTER UPDATE ON backfill.ledger FOR EACH ROW WHEN (OLD.direction <> 'verify' AND NEW.direction = 'verify') EXECUTE FUNCTION note_look();
		CREATE FUNCTION twofold(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
			IF n IN (`+rows+`) AND EXISTS (SELECT FROM looks) THEN RAISE EXCEPTION USING ERRCODE = '`+sqlstate+`', MESSAGE = 'not this one'; END IF; RETURN n * 2; END $$`)
	return b
}

const twofold = "name: twofold\ntable: counters\nset: {twice: twofold(n)}\nchunk_rows: 100\n"

// TestALookThatWasInterruptedBeginsAnew: the run fails while its canary is looked at. What had been looked at by then may have changed when it is resumed.
func TestALookThatWasInterruptedBeginsAnew(t *testing.T) {
	t.Parallel()
	b := looked(t, "42501", "3050")
	b.expectEnd(t, b.line.Run(t, b.request(t, twofold, "10%"), runtest.Execution), run.Failed)
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE direction <> 'forward' OR digest IS NOT NULL OR looked + fitting + deviating > 0 OR nulls IS NOT NULL"); n != 0 {
		t.Errorf("of %d chunks something is left of the look", n)
	}
	b.Exec(t, "DROP TRIGGER note_look ON backfill.ledger; TRUNCATE looks; UPDATE counters SET twice = -1 WHERE id = 7")
	status := b.waits(t, b.line.Run(t, json.RawMessage(`{"action":"resume","run":"run-1"}`), runtest.Later))
	if f := status.Canary.Forecast; f.Verified == nil || *f.Verified != (run.Checked{Rows: 400, Deviating: 1}) {
		t.Errorf("%+v, %q", f.Verified, status.Reason)
	}
}

// TestARowThatALookCannotJudge deviates. It is none of those that the run may leave out, with a budget or without.
func TestARowThatALookCannotJudge(t *testing.T) {
	t.Parallel()
	for _, budget := range []string{"", "error_budget: 1\n"} {
		b := looked(t, "22023", "7, 3050, 3051")
		status := b.start(t, twofold+budget, "10%")
		if f := status.Canary.Forecast; f.Verified == nil || *f.Verified != (run.Checked{Rows: 400, Deviating: 3}) || f.Failed != 0 {
			t.Errorf("%q: %+v, %q", budget, f.Verified, status.Reason)
		}
		if status.Rows.Rejected != 0 || b.Number(t, "SELECT count(*) FROM backfill.rejects") != 0 {
			t.Errorf("%q: %d rows are rejected", budget, status.Rows.Rejected)
		}
		b.Exec(t, "DROP TRIGGER note_look ON backfill.ledger; TRUNCATE looks")
		b.expectEnd(t, b.approve(t), run.Completed)
	}
}
