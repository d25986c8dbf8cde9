package faults

import (
	"fmt"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// hashed is a run whose values a Go function computes, that of an embedded definition. A trigger counts the writes of each row.
type hashed struct {
	table string
	rows  int
}

func (h hashed) makeTable(t *testing.T, db pgtest.Database) hashed {
	t.Helper()
	h.table = unique("hashed")
	db.Exec(t, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, email text, email_hash bytea, writes int NOT NULL DEFAULT 0);
		INSERT INTO %[1]s SELECT g, 'User' || g || '@Example.com' FROM generate_series(1, %[2]d) g; ANALYZE %[1]s;
		CREATE FUNCTION written_%[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes := OLD.writes + 1; RETURN NEW; END $$;
		CREATE TRIGGER written BEFORE UPDATE ON %[1]s FOR EACH ROW EXECUTE FUNCTION written_%[1]s()`, h.table, h.rows))
	return h
}

func (h hashed) request() map[string]any {
	return map[string]any{"action": "start", "definition": fmt.Sprintf("name: hash\ntable: public.%s\n"+
		"transform: {function: email-hash, reads: [email], writes: [email_hash]}\nchunk_rows: 1500\n", h.table)}
}

func (h hashed) ends() run.State { return run.Completed }

// check demands that every row was written once, counted once, and kept once for undo.
func (h hashed) check(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	wrong := number(t, conn, fmt.Sprintf("SELECT count(*) FROM %s WHERE writes <> 1 OR email_hash IS DISTINCT FROM sha256(convert_to(lower(email), 'UTF8'))", h.table))
	affected := number(t, conn, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	kept := number(t, conn, "SELECT sum(rows) FROM backfill.undo WHERE run = $1", id)
	if all := int64(h.rows); wrong != 0 || affected != all || kept != all {
		t.Fatalf("%d rows are not written exactly once; %d of %d rows counted, %d kept for undo", wrong, affected, all, kept)
	}
}

// TestATransformIsWrittenOnce, whichever step its worker dies at: the function is called again for rows that it has seen.
func TestATransformIsWrittenOnce(t *testing.T) {
	t.Parallel()
	steps := map[string]trap{
		"after its claim": after(worker, claim, 1), "before its commit": before(worker, advance, 2), "after its commit": after(worker, advance, 2),
		"its commit is lost": before(worker, advance, 2).cut(pgtest.Cut), "the answer is lost": after(worker, advance, 2).cut(pgtest.Cut),
		"at a read": before(worker, "backfill_walked", 2), "the answer to a read is lost": after(worker, "backfill_walked", 2).cut(pgtest.Cut),
	}
	pgtest.Deal(t, steps, func(t *testing.T, db pgtest.Database, hand map[string]trap) {
		sideways(t, db, hand, func(t *testing.T, db pgtest.Database, step trap) {
			deploy(t, db, plan{workers: 2}).falls(t, hashed{rows: 6000}.makeTable(t, db), step)
		})
	})
}
