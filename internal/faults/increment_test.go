package faults

import (
	"fmt"
	"testing"

	"backfill/internal/pgtest"
)

// increment is a change that shows at once whether a row saw it twice, or never.
type increment struct {
	table     string
	rows      int
	chunkRows int
	slowly    float64 // seconds that each row takes
	rounds    int     // increments before this one
}

// makeTable makes the table, with n = id.
func (i increment) makeTable(t *testing.T, db pgtest.Database) increment {
	t.Helper()
	i.table = unique("counters")
	db.Exec(t, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint NOT NULL);
		INSERT INTO %[1]s SELECT g, g FROM generate_series(1, %[2]d) g; ANALYZE %[1]s`, i.table, i.rows))
	return i
}

func (i increment) request() map[string]any {
	expression := "n + 1"
	if i.slowly > 0 {
		expression = fmt.Sprintf("n + 1 + 0 * length(pg_sleep(%f)::text)", i.slowly)
	}
	return map[string]any{"action": "start", "definition": fmt.Sprintf("name: increment\ntable: public.%s\nset: {n: %s}\nchunk_rows: %d\n",
		i.table, expression, i.chunkRows)}
}

// check demands that every row is exactly one higher, and that the ledger has counted each of them once.
func (i increment) check(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	wrong := number(t, conn, fmt.Sprintf("SELECT count(*) FROM %s WHERE n <> id + $1", i.table), i.rounds+1)
	affected := number(t, conn, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	scanned := number(t, conn, "SELECT sum(scanned) FROM backfill.ledger WHERE run = $1", id)
	if wrong != 0 || affected != int64(i.rows) || scanned != int64(i.rows) {
		t.Fatalf("%d rows are not exactly one higher; %d of %d rows counted, %d scanned", wrong, affected, i.rows, scanned)
	}
}
