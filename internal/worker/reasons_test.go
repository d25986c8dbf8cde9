package worker_test

import (
	"regexp"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// broken is what does not allow the change of row 900, alone of all rows. Where Postgres quotes the row, it quotes 7077.
var broken = map[string]struct {
	damage, mend string
	set          string // what n becomes
	reason       string
}{
	"a cast": {
		`UPDATE counters SET note = '*marker-7077' WHERE id = 900`, `UPDATE counters SET note = '900' WHERE id = 900`,
		"n + 1 + 0 * note::integer", "SQLSTATE 22P02 (invalid_text_representation)",
	},
	"a constraint": {
		`ALTER TABLE counters ADD CONSTRAINT small CHECK (n <> 901 OR note <> '900'); UPDATE counters SET note = '900', n = 900 WHERE id = 900`,
		`ALTER TABLE counters DROP CONSTRAINT small`,
		"n + 1", `SQLSTATE 23514 (check_violation), table "counters", constraint "small"`,
	},
	"a trigger": {
		`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no *marker-7077 in %', NEW; END $$;
			CREATE TRIGGER refuse BEFORE UPDATE ON counters FOR EACH ROW WHEN (NEW.id = 900) EXECUTE FUNCTION refuse()`,
		`DROP TRIGGER refuse ON counters`,
		"n + 1", "SQLSTATE P0001 (raise_exception)",
	},
}

// TestTheReasonOfAFailedChunk names the row, and holds none of its values but the key. What stands before the row in the
// order of the walk is committed, and the rest follows when the row is mended.
func TestTheReasonOfAFailedChunk(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b, where := setup(t, db, c), `"id" > 899 AND "id" <= 900`
		if c.ChunkRows == striped {
			where = `"id" = 900`
		}
		for name, bad := range broken {
			b.exec(t, "UPDATE counters SET n = id")
			b.exec(t, "TRUNCATE backfill.runs, backfill.ledger, backfill.stripes")
			b.exec(t, bad.damage)
			c.Set = []change.Assignment{{Column: "n", Type: "integer", Expression: bad.set}}
			_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: b.chunk.Range.Hi})
			must(t, err)
			must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
			reason := b.expectLedger(t, chunk.Failed)
			want := "apply batch N of chunk 1 of run run-1: 1 row within " + where + ": " + bad.reason
			if got := regexp.MustCompile(`batch \d+`).ReplaceAllString(reason, "batch N"); got != want || strings.Contains(reason, "7077") {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
			}
			if told := b.checkpoints.reasons; told[len(told)-1] != reason {
				t.Errorf("%s: the checkpoint says %q", name, told)
			}
			b.exec(t, bad.mend)
			b.exec(t, "UPDATE backfill.ledger SET state = 'PENDING'") // as a resume does
			must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
			b.expectOnce(t)
			b.expectPasses(t, c.ChunkRows == striped)
		}
	})
}

// TestTheReasonOfAFailedRollback names the row that cannot be restored.
func TestTheReasonOfAFailedRollback(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		c.Undo, c.Set = true, []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}
		b.exec(t, "TRUNCATE backfill.runs, backfill.ledger")
		_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: b.chunk.Range.Hi})
		must(t, err)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectOnce(t)
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		b.exec(t, "ALTER TABLE counters ADD CONSTRAINT written CHECK (n <> 900) NOT VALID")
		_, err = b.ledger.Reverse(t.Context(), theRun, "arn", nil)
		must(t, err)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
		reason := b.expectLedger(t, chunk.Failed)
		want := `1 row within "id" = 900: SQLSTATE 23514 (check_violation), table "counters", constraint "written"`
		if got := regexp.MustCompile(`^restore batch \d+ of chunk 1 of run run-1: `).ReplaceAllString(reason, ""); got != want {
			t.Errorf("\ngot  %s\nwant %s", reason, want)
		}
	})
}

// TestALongReasonIsCut: keys and names are long at times, and a reason is shown in lists.
func TestALongReasonIsCut(t *testing.T) {
	b := setup(t, pgtest.Newest(t), counters)
	column := strings.Repeat("ä", 31)
	for range 5 { // a message that quotes no row is told: it grows with the definition
		column += "." + column
	}
	c := counters
	c.Set = []change.Assignment{{Column: "n", Type: "integer", Expression: column}}
	b.exec(t, "TRUNCATE backfill.runs, backfill.ledger")
	_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: b.chunk.Range.Hi})
	must(t, err)
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	reason := b.expectLedger(t, chunk.Failed)
	if length := len([]rune(reason)); length != 501 || !strings.HasSuffix(reason, "ä…") {
		t.Errorf("%d characters: %s", length, reason)
	}
}
