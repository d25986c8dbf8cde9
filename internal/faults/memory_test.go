package faults

import (
	"fmt"
	"testing"

	"backfill/internal/faults/host"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// mostResident bytes of a worker's process, whatever its rows are.
const mostResident = 64 << 20

// TestAWorkerHoldsNoRows has the real program change wide rows in plain batches, smaller ones in passes, and take both
// back: 256 rows of 512 kB are twice what it may hold, a batch of 50 of them half.
func TestAWorkerHoldsNoRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rows, bytes, chunk, passes int }{
		"512 kB, plain":    {256, 512 << 10, 256, 1},
		"10 kB, in passes": {8_000, 10_000, 8_000, 16},
	} {
		t.Run(name, func(t *testing.T) {
			db := pgtest.Newest(t)
			s := deploy(t, db, plan{workers: 1})
			table := unique("wide")
			db.Exec(t, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, n int NOT NULL, body text NOT NULL);
				ALTER TABLE %[1]s ALTER body SET STORAGE MAIN;
				INSERT INTO %[1]s SELECT g, 0, repeat(md5(g::text), %[3]d / 32) FROM generate_series(1, %[2]d) g; ANALYZE %[1]s`, table, c.rows, c.bytes))
			a := s.start(t, wide{table: table, chunk: c.chunk})
			a.completes(t)
			if passes := number(t, db.Connect(t), "SELECT max(passes) FROM backfill.ledger WHERE run = $1", a.id); passes != int64(c.passes) {
				t.Errorf("the chunk was gone over in %d passes", passes)
			}
			s.start(t, wide{table: table, of: a.id}).completes(t)
			expectSmall(t, s.lanes.Workers[0])
		})
	}
}

func expectSmall(t *testing.T, worker *host.Host) {
	t.Helper()
	peak, err := worker.Peak()
	must(t, err)
	t.Logf("the worker's peak is %d MB", peak>>20)
	if peak > mostResident {
		t.Errorf("the worker held %d bytes", peak)
	}
}

// wide is a change of wide rows, or of a run of it the rollback.
type wide struct {
	table string
	chunk int
	of    string // "": forward
}

func (w wide) request() map[string]any {
	if w.of != "" {
		return map[string]any{"action": "rollback", "run": w.of}
	}
	return map[string]any{"action": "start", "definition": fmt.Sprintf("name: wide\ntable: public.%s\nset: {body: \"'x' || body\"}\nchunk_rows: %d\n", w.table, w.chunk)}
}

func (w wide) ends() run.State {
	if w.of != "" {
		return run.RolledBack
	}
	return run.Completed
}

// check demands the first letter that each row is to have; a hash never begins with an x.
func (w wide) check(t *testing.T, db pgtest.Database, _ string) {
	t.Helper()
	wrong := number(t, db.Connect(t), fmt.Sprintf("SELECT count(*) FROM %s WHERE (left(body, 1) = 'x') = $1", w.table), w.of != "")
	if wrong != 0 {
		t.Errorf("%d rows are wrong", wrong)
	}
}
