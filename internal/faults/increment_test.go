package faults

import (
	"fmt"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// increment is a change that shows at once whether a row saw it twice, or never. Undo keeps the value that n had.
type increment struct {
	table     string
	rows      int
	chunkRows int
	slowly    float64 // seconds that each row takes
	rounds    int     // increments before this one
	fills     bool    // it fills m, which is NULL, in place of n: undo keeps the keys alone
	inPasses  bool    // it is to be gone over so: accounts demands that a chunk was
}

// makeTable makes the table, with n = id.
func (i increment) makeTable(t *testing.T, db pgtest.Database) increment {
	t.Helper()
	i.table = unique("counters")
	if i.fillTable(t, db); i.inPasses {
		i.inOrder(t, db)
	}
	return i
}

// fillTable makes the table of that name.
func (i increment) fillTable(t *testing.T, db pgtest.Database) increment {
	t.Helper()
	db.Exec(t, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint NOT NULL, m bigint);
		INSERT INTO %[1]s SELECT g, g FROM generate_series(1, %[2]d) g; ANALYZE %[1]s`, i.table, i.rows))
	return i
}

func (i increment) request() map[string]any {
	set := "n: n + 1"
	if i.fills {
		set = "m: n * 2"
	}
	if i.slowly > 0 {
		set += fmt.Sprintf(" + 0 * length(pg_sleep(%f)::text)", i.slowly)
	}
	return map[string]any{"action": "start", "definition": fmt.Sprintf("name: increment\ntable: public.%s\nset: {%s}\nchunk_rows: %d\n",
		i.table, set, i.chunkRows)}
}

// holdLast keeps the last row from the run, as a user's transaction does, until it lets go: the run does not end before.
func (i increment) holdLast(t *testing.T, db pgtest.Database) (let func()) {
	t.Helper()
	user, err := db.Connect(t).Begin(t.Context())
	must(t, err)
	_, err = user.Exec(t.Context(), fmt.Sprintf("SELECT FROM %s WHERE id = %d FOR UPDATE", i.table, i.rows))
	must(t, err)
	return func() { must(t, user.Commit(t.Context())) }
}

func (i increment) ends() run.State { return run.Completed }

// before holds for a row that the run has not changed, or that was taken back.
func (i increment) before() string { return fmt.Sprintf("(n = id + %d AND m IS NULL)", i.rounds) }

// after holds for a row that the run has changed, once.
func (i increment) after() string {
	if i.fills {
		return fmt.Sprintf("(n = id + %d AND m = n * 2)", i.rounds)
	}
	return fmt.Sprintf("(n = id + %d AND m IS NULL)", i.rounds+1)
}

// check demands that every row is changed exactly once, and that the ledger has counted each of them once.
func (i increment) check(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	wrong := number(t, conn, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s IS NOT TRUE", i.table, i.after()))
	affected := number(t, conn, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	scanned := number(t, conn, "SELECT sum(scanned) FROM backfill.ledger WHERE run = $1", id)
	stripes := number(t, conn, "SELECT count(*) FROM backfill.stripes WHERE run = $1", id)
	if wrong != 0 || stripes != 0 || affected != int64(i.rows) || scanned != int64(i.rows) {
		t.Fatalf("%d rows are not changed exactly once; %d of %d rows counted, %d scanned; %d stripes left", wrong, affected, i.rows, scanned, stripes)
	}
	i.accounts(t, db, id)
}

// accounts demands that rows, ledger and undo tell the same of each chunk, whether the run has ended well or not: as
// many rows are changed as were written and not restored, as many are kept for undo, and no row holds anything else.
func (i increment) accounts(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	var wrong string
	must(t, conn.QueryRow(t.Context(), fmt.Sprintf(`SELECT coalesce(string_agg(
			format('chunk %%s is %%s: %%s rows, %%s changed, %%s neither; %%s written, %%s restored, %%s conflicts, %%s kept for undo',
				chunk, state, all_rows, changed, neither, affected, restored, conflicts, kept), E'\n' ORDER BY chunk), '')
		FROM backfill.ledger AS l,
			LATERAL (SELECT count(*) AS all_rows, count(*) FILTER (WHERE %[2]s) AS changed,
				count(*) FILTER (WHERE %[2]s IS NOT TRUE AND %[3]s IS NOT TRUE) AS neither
				FROM %[1]s WHERE id > coalesce(lo[1]::bigint, 0) AND id <= hi[1]::bigint) AS r,
			LATERAL (SELECT coalesce(sum(rows - done), 0) AS kept FROM backfill.undo AS u WHERE u.run = l.run AND u.chunk = l.chunk) AS u
		WHERE run = $1 AND (neither > 0 OR conflicts > 0 OR changed <> affected - restored OR changed <> kept
			OR state = 'COMPLETED' AND changed <> all_rows OR state = 'ROLLED_BACK' AND changed > 0)`,
		i.table, i.after(), i.before()), id).Scan(&wrong))
	if wrong != "" {
		t.Fatalf("run %s:\n%s", id, wrong)
	}
	if passes := number(t, conn, "SELECT coalesce(max(passes), 0) FROM backfill.ledger WHERE run = $1", id); i.inPasses && passes <= 1 {
		t.Fatalf("run %s went over no chunk in passes", id)
	}
	changed := number(t, conn, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s IS NOT TRUE", i.table, i.before()))
	accounted := number(t, conn, "SELECT coalesce(sum(affected - restored), 0) FROM backfill.ledger WHERE run = $1", id)
	if changed != accounted {
		t.Fatalf("run %s: %d rows are changed, the ledger knows of %d", id, changed, accounted)
	}
}
