package faults

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// again is what is asked of a run that exists.
type again struct {
	of    increment
	input map[string]any
	back  back
	end   run.State
}

// back is what of a run is taken back.
type back struct {
	all    bool
	chunks []int64
}

func (a again) request() map[string]any { return a.input }
func (a again) ends() run.State         { return a.end }

// rollback takes a run back.
func (i increment) rollback(id string) again {
	return again{of: i, input: map[string]any{"action": "rollback", "run": id}, back: back{all: true}, end: run.RolledBack}
}

// check demands that the rows that were taken back are what they were, that nothing is kept for them any more, and that
// all others are changed once, unless their run was cancelled before.
func (a again) check(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	a.of.accounts(t, db, id)
	conn := db.Connect(t)
	others := map[run.State]string{run.Completed: a.of.after(), run.Cancelled: "true", run.RolledBack: a.of.before()}[a.end]
	wrong := number(t, conn, fmt.Sprintf(`SELECT count(*) FROM %s AS t WHERE CASE
		WHEN $2 OR EXISTS (SELECT FROM backfill.ledger WHERE run = $1 AND chunk = ANY ($3)
			AND t.id > coalesce(lo[1]::bigint, 0) AND t.id <= hi[1]::bigint) THEN %s
		ELSE %s END IS NOT TRUE`, a.of.table, a.of.before(), others), id, a.back.all, a.back.chunks)
	left := number(t, conn, `SELECT (SELECT count(*) FROM backfill.undo WHERE run = $1 AND ($2 OR chunk = ANY ($3)))
		+ (SELECT count(*) FROM backfill.stripes WHERE run = $1 AND ($2 OR chunk = ANY ($3) OR $4))`, id, a.back.all, a.back.chunks, a.end == run.Completed)
	state := run.State("")
	must(t, conn.QueryRow(t.Context(), "SELECT state FROM backfill.runs WHERE run = $1", id).Scan(&state))
	if wrong != 0 || left != 0 || state != a.end {
		t.Fatalf("run %s is %s: %d rows are wrong, %d rows of undo or stripes are left", id, state, wrong, left)
	}
}

// The statements that name a step of a rollback.
const (
	commit   = "commit"
	restored = "UPDATE backfill.runs r SET ended_at"
)

// What is in the body of a call then.
const (
	rolledBack     = `":state":{"S":"ROLLED_BACK"}`
	toRollingBack  = `":state":{"S":"ROLLING_BACK"}`
	recordRestored = `":to":{"S":"ROLLED_BACK"}`
)

// backAtPostgres is each named step of a rollback that is a statement, once.
var backAtPostgres = map[string]trap{
	"a worker dies after its claim":                  after(worker, claim, 1),
	"a worker dies before its commit":                before(worker, advance, 2),
	"a worker dies after its commit":                 after(worker, advance, 2),
	"the answer to a claim is lost":                  after(worker, claim, 1).cut(pgtest.Cut),
	"a worker's commit is lost":                      before(worker, advance, 2).cut(pgtest.Cut),
	"the answer to a commit is lost":                 after(worker, advance, 2).cut(pgtest.Cut),
	"a planner dies before it has closed the run":    {function: planner, sql: commit, kind: 'Q', kill: true, verdict: pgtest.Cut},
	"a planner dies after it has closed the run":     after(planner, commit, 0),
	"the answer to the closing is lost":              after(planner, commit, 0).cut(pgtest.Cut),
	"a governor dies before it notes a send":         before(governor, noted, 0),
	"a governor dies after it noted a send":          after(governor, noted, 0),
	"a governor dies before it ends the rollback":    before(governor, restored, 0),
	"a governor dies when it has ended the rollback": after(governor, restored, 0),
}

// few is what is taken back: some chunks, each of several batches.
var few = increment{rows: 3000, chunkRows: 750}

func TestEachStepBackAtPostgres(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		sideways(t, db, backAtPostgres, func(t *testing.T, db pgtest.Database, step trap) {
			w := few.byTurns(t, db).makeTable(t, db)
			deploy(t, db, plan{workers: 2}).fallsBack(t, w, step.later(w))
		})
	})
}

// backAtAWS is each named step of a rollback that is a call to AWS, once.
var backAtAWS = map[string]trap{
	"a worker dies between commit and checkpoint":      calling(worker, "UpdateItem", gateway.KillBefore, rolledBack),
	"a worker dies between checkpoint and answer":      calling(worker, "UpdateItem", gateway.KillAfter, rolledBack),
	"a worker dies at its first checkpoint":            calling(worker, "UpdateItem", gateway.KillAfter, processing),
	"a last checkpoint comes late":                     calling(worker, "UpdateItem", gateway.Late(lease+time.Second), rolledBack),
	"the answer to a checkpoint is lost":               calling(worker, "UpdateItem", gateway.Lose, rolledBack),
	"a planner dies before the record is ROLLING_BACK": calling(planner, "UpdateItem", gateway.KillBefore, toRollingBack),
	"a planner dies after the record is ROLLING_BACK":  calling(planner, "UpdateItem", gateway.KillAfter, toRollingBack),
	"the answer to the record of ROLLING_BACK is lost": calling(planner, "UpdateItem", gateway.Lose, toRollingBack),
	"a governor dies before a send":                    calling(governor, "SendMessageBatch", gateway.KillBefore),
	"a governor dies after a send":                     calling(governor, "SendMessageBatch", gateway.KillAfter),
	"a send is refused in part":                        calling(governor, "SendMessageBatch", gateway.Partly),
	"a governor dies before the record is ROLLED_BACK": calling(governor, "UpdateItem", gateway.KillBefore, recordRestored),
	"a governor dies after the record is ROLLED_BACK":  calling(governor, "UpdateItem", gateway.KillAfter, recordRestored),
	"the answer to the end of the rollback is lost":    calling(governor, "UpdateItem", gateway.Lose, recordRestored),
}

func TestEachStepBackAtAWS(t *testing.T) {
	t.Parallel()
	sideways(t, pgtest.Newest(t), backAtAWS, func(t *testing.T, db pgtest.Database, step trap) {
		deploy(t, db, plan{workers: 2}).fallsBack(t, few.makeTable(t, db), step)
	})
}

// TestADeliveryBackWithoutAClaimComesAgain: the governor has sent it, and takes it to be on its way.
func TestADeliveryBackWithoutAClaimComesAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	deploy(t, db, plan{workers: 1, visibility: time.Second}).fallsBack(t, few.makeTable(t, db), before(worker, claim, 1))
}

// TestARecordIsReopenedTooLate: the call of a planner that died arrives when the rollback has ended.
func TestARecordIsReopenedTooLate(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s, w := deploy(t, db, plan{workers: 2}), few.makeTable(t, db)
	a := s.start(t, w)
	a.completes(t)
	release, landed := make(chan struct{}), make(chan struct{})
	s.set(calling(planner, "UpdateItem", gateway.Held(release, landed), toRollingBack))
	s.start(t, w.rollback(a.id)).completes(t)
	close(release)
	next(t, landed)
	s.agrees(t, a.id, run.RolledBack)
}

// fallsBack demands that a run is taken back though its rollback fell into the trap.
func (s *stack) fallsBack(t *testing.T, w increment, step trap) {
	t.Helper()
	a := s.start(t, w)
	a.completes(t)
	s.falls(t, w.rollback(a.id), step)
}
