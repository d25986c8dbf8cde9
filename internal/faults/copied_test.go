package faults

import (
	"fmt"
	"maps"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// copied is a copy, or a move, into a table that numbers its rows, so that a row could get there twice.
type copied struct {
	table     string
	rows      int
	chunkRows int
	move      bool
}

func (c copied) makeTable(t *testing.T, db pgtest.Database) copied {
	t.Helper()
	c.table = unique("copied")
	db.Exec(t, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint NOT NULL); CREATE TABLE %[1]s_to (no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id bigint, twice bigint);
		INSERT INTO %[1]s SELECT g, g FROM generate_series(1, %[2]d) g; ANALYZE %[1]s`, c.table, c.rows))
	return c
}

func (c copied) request() map[string]any {
	return map[string]any{"action": "start", "definition": fmt.Sprintf(
		"name: copied\ntable: public.%[1]s\nundo: %[2]s\ncopy:\n  into: public.%[1]s_to\n  columns: {id: id, twice: n * 2}\n  move: %[3]v\nchunk_rows: %[4]d\n",
		c.table, map[bool]string{true: "off", false: "on"}[c.move], c.move, c.chunkRows)}
}

func (c copied) ends() run.State { return run.Completed }

// check demands that every row is in the target once, and that ledger and undo have counted each of them once.
func (c copied) check(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	right := number(t, conn, fmt.Sprintf("SELECT count(DISTINCT id) FROM %s_to WHERE twice = 2 * id", c.table))
	all, left := number(t, conn, "SELECT count(*) FROM "+c.table+"_to"), number(t, conn, "SELECT count(*) FROM "+c.table+" WHERE n = id")
	affected := number(t, conn, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	kept := number(t, conn, "SELECT coalesce(sum(rows), 0) FROM backfill.undo WHERE run = $1", id)
	there, undo := int64(c.rows), int64(c.rows)
	if c.move {
		there, undo = 0, 0
	}
	if right != int64(c.rows) || all != right || left != there || affected != right || kept != undo {
		t.Fatalf("%d of %d rows are right, of %d; %d counted, %d kept; %d left", right, all, c.rows, affected, kept, left)
	}
}

// TestEachStepOfACopyAtPostgres: workers that die, and answers that are lost, at each named step of theirs.
func TestEachStepOfACopyAtPostgres(t *testing.T) {
	steps := maps.Clone(atPostgres)
	maps.DeleteFunc(steps, func(_ string, step trap) bool { return step.function != worker })
	if len(steps) < 4 {
		t.Fatalf("%d steps are a worker's", len(steps))
	}
	for name, move := range map[string]bool{"copy": false, "move": true} {
		t.Run(name, func(t *testing.T) {
			pgtest.Deal(t, steps, func(t *testing.T, db pgtest.Database, hand map[string]trap) {
				sideways(t, db, hand, func(t *testing.T, db pgtest.Database, step trap) {
					deploy(t, db, plan{workers: 2}).falls(t, copied{rows: 6000, chunkRows: 1500, move: move}.makeTable(t, db), step)
				})
			})
		})
	}
}
