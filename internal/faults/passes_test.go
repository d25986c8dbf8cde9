package faults

import (
	"fmt"
	"testing"

	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// inOrder puts the rows in the order of their keys, as they were at first. What is updated goes to other pages, so after
// a few runs neighbours by key share none, and the product would go over no chunk in passes. Room on the pages keeps
// updates HOT while the transaction of a stopped worker keeps dead rows: else the product would give passes up.
func (i increment) inOrder(t *testing.T, db pgtest.Database) {
	t.Helper()
	db.Exec(t, fmt.Sprintf("ALTER TABLE %[1]s SET (fillfactor = 60); CLUSTER %[1]s USING %[1]s_pkey; ANALYZE %[1]s", i.table))
}

// fewestInPasses is the size of the smallest chunks that may be gone over in passes, each in 18 batches or some more.
const fewestInPasses = 6_400

// passing makes the work one that is gone over in passes: of two chunks where it has several, and as slow as it was in all.
func (i increment) passing() increment {
	rows := min(2, i.rows/i.chunkRows) * fewestInPasses
	i.slowly *= float64(i.rows) / float64(rows)
	i.rows, i.chunkRows, i.inPasses = rows, fewestInPasses, true
	return i
}

// amidst is how many batches later than else something happens that is to meet passes: behind the first batch of each of two workers and the
// listing of keys, and not behind the passes.
const amidst = 10

// nth is that batch, or one as much later in the middle of passes.
func (i increment) nth(batch int) int {
	if i.inPasses {
		batch += amidst
	}
	return batch
}

// byTurns gives each server a way of its own: in passes on the newest, in the order of the keys on the others. What the SQL of each way does on each server is
// shown by batch.
func (i increment) byTurns(t *testing.T, db pgtest.Database) increment {
	t.Helper()
	if db.IsNewest(t) {
		return i.passing()
	}
	return i
}

// eachWay runs the test for work in the order of the keys, and for the same in passes, side by side.
func eachWay(t *testing.T, w increment, test func(t *testing.T, w increment)) {
	t.Parallel()
	for name, way := range map[string]increment{"plain": w, "passes": w.passing()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, way)
		})
	}
}

// amid moves a step at a batch into the middle of passes.
func (c trap) amid(t *testing.T, db pgtest.Database, w increment) trap {
	t.Helper()
	if c.sql == advance {
		conn := db.Connect(t)
		c.look = func() { w.expectAmid(t, conn) }
	}
	return c.later(w)
}

// later moves a step at a batch as far.
func (c trap) later(w increment) trap {
	if c.sql == advance {
		c.skip = int64(w.nth(int(c.skip)))
	}
	return c
}

// expectAmid demands that work in passes is in the middle of a window: some stripes of it are left, and the first is not among them.
func (i increment) expectAmid(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	var amid bool
	if err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM backfill.stripes JOIN backfill.runs USING (run) WHERE change -> 'table' ->> 'name' = $1
		GROUP BY run, chunk HAVING min(part) > 0)`, i.table).Scan(&amid); err != nil || i.inPasses && !amid {
		t.Errorf("no chunk of %s is in the middle of passes: %v", i.table, err)
	}
}

// takenOver counts the workers that went on with what another had left.
const takenOver = "taken over in passes"

// witness has Postgres note each claim of a chunk whose stripes another delivery has left in the middle. The schema is
// there when the first step was taken.
const witness = `CREATE TABLE IF NOT EXISTS taken_over (run text, chunk bigint);
	CREATE OR REPLACE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO taken_over SELECT run, chunk FROM backfill.stripes WHERE run = NEW.run AND chunk = NEW.chunk
			GROUP BY run, chunk HAVING min(part) > 0;
		RETURN NULL;
	END $$;
	CREATE OR REPLACE TRIGGER witness AFTER UPDATE ON backfill.ledger FOR EACH ROW
		WHEN (NEW.owner <> OLD.owner AND NEW.state = 'PROCESSING' AND NEW.direction = 'forward') EXECUTE FUNCTION witness()`

// countPasses counts the chunks of a life that was to go in passes by what became of them.
func (l *life) countPasses(t *testing.T) {
	t.Helper()
	conn := l.stack.db.Connect(t)
	l.counts[takenOver] += int(number(t, conn, "SELECT count(*) FROM taken_over WHERE run = $1", l.id))
	if l.of.chunkRows != striped {
		return
	}
	l.counts["chunks in passes"] += int(number(t, conn, "SELECT count(*) FROM backfill.ledger WHERE run = $1 AND passes > 1", l.id))
	l.counts["chunks plain instead"] += int(number(t, conn, "SELECT count(*) FROM backfill.ledger WHERE run = $1 AND passes = 1", l.id))
}

// expectPasses demands that lives that were to go in passes did so for the most part, and that stripes which a worker had
// left in the middle were taken over. Without the first, the second says nothing.
func (x *chaos) expectPasses(t *testing.T) {
	t.Helper()
	if passes, instead := x.counts["chunks in passes"], x.counts["chunks plain instead"]; passes == 0 || passes < instead {
		t.Errorf("%d chunks were gone over in passes, %d in the order of the keys instead", passes, instead)
	}
	if x.counts[takenOver] == 0 {
		t.Error("no worker took over stripes that another had left in the middle")
	}
}
