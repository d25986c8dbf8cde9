package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// The statements that name a step.
const (
	claim     = "backfill.claim("
	advance   = "backfill.advance("
	open      = "INSERT INTO backfill.runs"
	migrate   = "CREATE SCHEMA"
	heartbeat = "SET heartbeat"
	move      = "UPDATE backfill.runs SET state"
	noted     = "SET sent = greatest"
)

// sideBySide is how many runs go on at once. Most of their time is a dead worker's lease.
const sideBySide = 5

// sideways runs the cases on one database, several at once.
func sideways[Case any](t *testing.T, db pgtest.Database, cases map[string]Case, test func(*testing.T, pgtest.Database, Case)) {
	t.Helper()
	var all sync.WaitGroup
	places := make(chan struct{}, sideBySide)
	for name, c := range cases {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			t.Run(name, func(t *testing.T) { test(t, db, c) })
		})
	}
	all.Wait()
}

// atPostgres is each named step that is a statement, once.
var atPostgres = map[string]trap{
	"a worker dies after its claim":                 after(worker, claim, 1),
	"a worker dies before its commit":               before(worker, advance, 2),
	"a worker dies after its commit":                after(worker, advance, 2),
	"a worker's claim is lost":                      before(worker, claim, 1).cut(pgtest.Cut),
	"the answer to a claim is lost":                 after(worker, claim, 1).cut(pgtest.Cut),
	"a worker's commit is lost":                     before(worker, advance, 2).cut(pgtest.Cut),
	"the answer to a commit is lost":                after(worker, advance, 2).cut(pgtest.Cut),
	"the answer to a commit is cut in the middle":   after(worker, advance, 2).cut(pgtest.Halve),
	"a planner dies after the lock of the table":    after(planner, open, 0),
	"a planner dies before the lock of the table":   before(planner, open, 0),
	"the answer to the lock of the table is lost":   after(planner, open, 0).cut(pgtest.Cut),
	"a planner dies before the run is RUNNING":      before(planner, move, 0),
	"a governor dies before a heartbeat":            before(governor, heartbeat, 0),
	"a governor dies after a heartbeat":             after(governor, heartbeat, 0),
	"a governor dies before it completes the run":   before(governor, move, 0),
	"a governor dies when it has completed the run": after(governor, move, 0),
}

// atANote is the note that a chunk was sent again: without it the chunk is sent once more.
var atANote = map[string][]trap{
	"a governor dies before it notes a send": {dead, before(governor, noted, 0)},
	"a governor dies after it noted a send":  {dead, after(governor, noted, 0)},
	"the note of a send is lost":             {dead, before(governor, noted, 0).cut(pgtest.Cut)},
	"the answer to the note is lost":         {dead, after(governor, noted, 0).cut(pgtest.Cut)},
}

func TestEachStepAtANote(t *testing.T) {
	t.Parallel()
	sideways(t, pgtest.Newest(t), atANote, throughTraps)
}

// some is the work of a step: some chunks, each of several batches.
var some = increment{rows: 6000, chunkRows: 1500}

func counters(t *testing.T, db pgtest.Database) work {
	t.Helper()
	return some.makeTable(t, db)
}

func TestEachStepAtPostgres(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		sideways(t, db, atPostgres, func(t *testing.T, db pgtest.Database, step trap) {
			w := some.byTurns(t, db).makeTable(t, db)
			deploy(t, db, plan{workers: 2}).falls(t, w, step.amid(t, db, w))
		})
	})
}

// atAWS is each named step that is a call to AWS, once.
var atAWS = map[string][]trap{
	"a worker dies between commit and checkpoint":      {calling(worker, "UpdateItem", gateway.KillBefore, completed)},
	"a worker dies between checkpoint and answer":      {calling(worker, "UpdateItem", gateway.KillAfter, completed)},
	"a worker dies at its first checkpoint":            {calling(worker, "UpdateItem", gateway.KillAfter, processing)},
	"a planner dies before the record":                 {calling(planner, "PutItem", gateway.KillBefore)},
	"a planner dies after the record":                  {calling(planner, "PutItem", gateway.KillAfter)},
	"a planner dies before the commit of a page":       {calling(planner, "TransactWriteItems", gateway.KillBefore).second()},
	"a planner dies between a page's commit and send":  {calling(planner, "SendMessageBatch", gateway.KillBefore).second()},
	"a planner dies between a page's send and settle":  {calling(planner, "SendMessageBatch", gateway.KillAfter).second()},
	"a planner dies after it settled a page":           {calling(planner, "DeleteItem", gateway.KillAfter)},
	"a planner dies before the record is RUNNING":      {calling(planner, "UpdateItem", gateway.KillBefore, toRunning)},
	"a governor dies before the record is COMPLETED":   {calling(governor, "UpdateItem", gateway.KillBefore, toCompleted)},
	"a governor dies after the record is COMPLETED":    {calling(governor, "UpdateItem", gateway.KillAfter, toCompleted)},
	"the answer to a page's commit is lost":            {calling(planner, "TransactWriteItems", gateway.Lose)},
	"the answer to a record is lost":                   {calling(planner, "PutItem", gateway.Lose)},
	"the answer to a send is lost":                     {calling(planner, "SendMessageBatch", gateway.Lose)},
	"the answer to a checkpoint is lost":               {calling(worker, "UpdateItem", gateway.Lose, completed)},
	"the answer to the end of a run is lost":           {calling(governor, "UpdateItem", gateway.Lose, toCompleted)},
	"a page's commit is throttled":                     {calling(planner, "TransactWriteItems", gateway.Throttle).repeated(2)},
	"a send is throttled":                              {calling(planner, "SendMessageBatch", gateway.Throttle).repeated(2)},
	"a page's commit is answered 500":                  {calling(planner, "TransactWriteItems", gateway.Break).repeated(2)},
	"a send is answered 500":                           {calling(planner, "SendMessageBatch", gateway.Break).repeated(2)},
	"a send is refused in part":                        {calling(planner, "SendMessageBatch", gateway.Partly)},
	"checkpoints are throttled for longer than a call": {calling(worker, "UpdateItem", gateway.Throttle).repeated(awsTries + 1)},
	"a governor dies before a chunk is sent again":     {dead, calling(governor, "SendMessageBatch", gateway.KillBefore)},
	"a governor dies after a chunk was sent again":     {dead, calling(governor, "SendMessageBatch", gateway.KillAfter)},
	"a chunk that is sent again is refused":            {dead, calling(governor, "SendMessageBatch", gateway.Partly)},
	"the answer to a chunk that is sent again is lost": {dead, calling(governor, "SendMessageBatch", gateway.Lose)},
}

// late is a call that has its effect after its function died, when a successor may be at work.
var late = map[string][]trap{
	"a page's commit":    {calling(planner, "TransactWriteItems", gateway.Late(time.Second)).second()},
	"a page's send":      {calling(planner, "SendMessageBatch", gateway.Late(time.Second)).second()},
	"a page's settling":  {calling(planner, "DeleteItem", gateway.Late(time.Second))},
	"a record":           {calling(planner, "PutItem", gateway.Late(time.Second))},
	"a first checkpoint": {calling(worker, "UpdateItem", gateway.Late(lease+time.Second), processing)},
	"a last checkpoint":  {calling(worker, "UpdateItem", gateway.Late(lease+time.Second), completed)},
	"figures":            {calling(governor, "UpdateItem", gateway.Late(time.Second), "SET #status")},
	"another send":       {dead, calling(governor, "SendMessageBatch", gateway.Late(time.Second))},
	"the end of the run": {calling(governor, "UpdateItem", gateway.Late(time.Second), toCompleted)},
}

func TestEachCallThatComesLate(t *testing.T) {
	t.Parallel()
	sideways(t, pgtest.Newest(t), late, throughTraps)
}

// broken is AWS failing for longer than one call is tried: the invocation fails, and is tried again.
var broken = map[string][]trap{
	"a chunk that is sent again waits for a broken SQS": {dead, calling(governor, "SendMessageBatch", gateway.Break).repeated(awsTries + 1)},
	"a planner waits for a broken SQS":                  {calling(planner, "SendMessageBatch", gateway.Break).repeated(awsTries + 1)},
	"a governor waits for a broken DynamoDB":            {calling(governor, "GetItem", gateway.Break).repeated(awsTries + 1)},
}

func TestAnAWSThatIsBrokenForLongerThanACall(t *testing.T) {
	t.Parallel()
	sideways(t, pgtest.Newest(t), broken, func(t *testing.T, db pgtest.Database, steps []trap) {
		deploy(t, db, plan{workers: 2}).falls(t, counters(t, db), steps...)
	})
}

// awsTries is how often the functions make a call to AWS before they give up.
const awsTries = 6

// What is in the body of a call.
const (
	completed   = `":state":{"S":"COMPLETED"}`
	processing  = `":state":{"S":"PROCESSING"}`
	toRunning   = `":to":{"S":"RUNNING"}`
	toCompleted = `":to":{"S":"COMPLETED"}`
)

// dead is a worker whose chunk has to be sent again.
var dead = after(worker, claim, 1)

func TestEachStepAtAWS(t *testing.T) {
	t.Parallel()
	sideways(t, pgtest.Newest(t), atAWS, throughTraps)
}

func throughTraps(t *testing.T, db pgtest.Database, steps []trap) {
	t.Helper()
	s := deploy(t, db, plan{workers: 2})
	s.falls(t, counters(t, db), steps...)
	s.expectNothingLost(t)
}

// TestTheRecordIsRunningAfterItsPlannerDied: people see the record, long before the end sets it right.
func TestTheRecordIsRunningAfterItsPlannerDied(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s, w := deploy(t, db, plan{workers: 1}), counters(t, db)
	id, seen := make(chan string, 1), make(chan run.State, 1)
	atTheEnd := calling(governor, "UpdateItem", nil, toCompleted)
	atTheEnd.look = func() {
		record, err := s.records.Run(context.Background(), <-id)
		if err != nil {
			t.Error(err)
		}
		seen <- record.Status.State
	}
	s.set(calling(planner, "UpdateItem", gateway.KillBefore, toRunning), atTheEnd)
	a := s.start(t, w)
	id <- a.id
	a.completes(t)
	if state := <-seen; state != run.Running {
		t.Fatalf("the record was %s until the run ended", state)
	}
}

// TestANewDatabase: the schema is made while its planner dies, or its connection is lost.
func TestANewDatabase(t *testing.T) {
	for name, step := range map[string]trap{
		"the planner dies":       {function: planner, sql: migrate, kind: pgtest.ReadyForQuery, fromServer: true, kill: true, verdict: pgtest.Cut},
		"the script is cut":      {function: planner, sql: migrate, kind: 'Q', verdict: pgtest.Halve},
		"the connection is lost": {function: planner, sql: migrate, kind: 'C', fromServer: true, skip: 5, verdict: pgtest.Cut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Newest(t)
			w := increment{rows: 1000, chunkRows: 500}.makeTable(t, db)
			deploy(t, db, plan{workers: 1}).falls(t, w, step)
		})
	}
}
