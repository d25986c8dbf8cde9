package faults

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// verification looks at a run that is COMPLETED once more; every 100th row deviates.
type verification struct {
	of increment
	id string
}

func (v verification) request() map[string]any {
	return map[string]any{"action": "verify", "run": v.id}
}
func (v verification) ends() run.State { return run.Completed }

// check demands that every row is right, that each was looked at once, and that those that deviated were counted and written once.
func (v verification) check(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	wrong := number(t, conn, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s IS NOT TRUE", v.of.table, v.of.after()))
	looked := number(t, conn, "SELECT sum(looked) FROM backfill.ledger WHERE run = $1", id)
	deviating := number(t, conn, "SELECT sum(deviating) FROM backfill.ledger WHERE run = $1", id)
	mended := number(t, conn, "SELECT sum(mended) FROM backfill.ledger WHERE run = $1", id)
	affected := number(t, conn, "SELECT sum(affected) FROM backfill.ledger WHERE run = $1", id)
	kept := number(t, conn, "SELECT sum(rows - done) FROM backfill.undo WHERE run = $1", id)
	holds := number(t, conn, "SELECT count(*) FROM backfill.runs WHERE run = $1 AND state = 'COMPLETED' AND certificate @> '{\"holds\": true, \"tiled\": true}'", id)
	rows := int64(v.of.rows)
	few := rows / 100
	if wrong != 0 || looked != rows || deviating != few || mended != few || affected != rows+few || kept != rows+few || holds != 1 {
		t.Fatalf("%d rows are wrong; of %d rows %d were looked at, %d deviated, %d were written again; %d counted, %d kept for undo; %d certificates",
			wrong, rows, looked, deviating, mended, affected, kept, holds)
	}
}

// isVerified demands that a run is verified though that fell into the trap.
func (s *stack) isVerified(t *testing.T, db pgtest.Database, step trap) {
	t.Helper()
	w := increment{rows: 3000, chunkRows: 750, fills: true}.makeTable(t, db)
	a := s.start(t, w)
	a.completes(t)
	db.Exec(t, fmt.Sprintf("UPDATE %s SET m = CASE WHEN id %% 200 = 7 THEN -1 END WHERE id %% 100 = 7", w.table))
	s.falls(t, verification{of: w, id: a.id}, step)
}

// The statement that ends a verification, and what is in the body of a call then.
const (
	certified      = "WITH certified AS"
	toVerifying    = `":state":{"S":"VERIFYING"}`
	recordVerified = `":to":{"S":"COMPLETED"}`
)

// verifiedAtPostgres is each named step of a verification that is a statement, once.
var verifiedAtPostgres = map[string]trap{
	"a worker dies after its claim":               after(worker, claim, 1),
	"a worker dies before its commit":             before(worker, advance, 2),
	"a worker dies after its commit":              after(worker, advance, 2),
	"a worker's commit is lost":                   before(worker, advance, 2).cut(pgtest.Cut),
	"the answer to a commit is lost":              after(worker, advance, 2).cut(pgtest.Cut),
	"a planner dies before it has opened the run": {function: planner, sql: commit, kind: 'Q', kill: true, verdict: pgtest.Cut},
	"a planner dies after it has opened the run":  after(planner, commit, 0),
	"the answer to the opening is lost":           after(planner, commit, 0).cut(pgtest.Cut),
	"a governor dies before it certifies":         before(governor, certified, 0),
	"a governor dies when it has certified":       after(governor, certified, 0),
}

func TestEachStepOfAVerificationAtPostgres(t *testing.T) {
	pgtest.Deal(t, verifiedAtPostgres, func(t *testing.T, db pgtest.Database, hand map[string]trap) {
		sideways(t, db, hand, func(t *testing.T, db pgtest.Database, step trap) {
			deploy(t, db, plan{workers: 2}).isVerified(t, db, step)
		})
	})
}

// verifiedAtAWS is each named step of a verification that is a call to AWS, once.
var verifiedAtAWS = map[string]trap{
	"a worker dies between commit and checkpoint":    calling(worker, "UpdateItem", gateway.KillBefore, completed),
	"a last checkpoint comes late":                   calling(worker, "UpdateItem", gateway.Late(lease+time.Second), completed),
	"a planner dies before the record is VERIFYING":  calling(planner, "UpdateItem", gateway.KillBefore, toVerifying),
	"a planner dies after the record is VERIFYING":   calling(planner, "UpdateItem", gateway.KillAfter, toVerifying),
	"a governor dies before a send":                  calling(governor, "SendMessageBatch", gateway.KillBefore),
	"a governor dies after a send":                   calling(governor, "SendMessageBatch", gateway.KillAfter),
	"a governor dies before the record is COMPLETED": calling(governor, "UpdateItem", gateway.KillBefore, recordVerified),
	"the answer to the end is lost":                  calling(governor, "UpdateItem", gateway.Lose, recordVerified),
}

func TestEachStepOfAVerificationAtAWS(t *testing.T) {
	t.Parallel()
	sideways(t, pgtest.Newest(t), verifiedAtAWS, func(t *testing.T, db pgtest.Database, step trap) {
		deploy(t, db, plan{workers: 2}).isVerified(t, db, step)
	})
}
