package faults

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"backfill/internal/canary"
	"backfill/internal/closing"
	"backfill/internal/completion"
	"backfill/internal/credentials"
	"backfill/internal/dispatch"
	"backfill/internal/failure"
	"backfill/internal/faults/host"
	"backfill/internal/following"
	governing "backfill/internal/governor"
	"backfill/internal/ledger"
	"backfill/internal/pausing"
	"backfill/internal/pgtest"
	planning "backfill/internal/planner"
	"backfill/internal/postgres"
	"backfill/internal/queue"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/regulator"
	"backfill/internal/repair"
	"backfill/internal/review"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// here is a function in this process, where its clock can be set.
type here[In, Out any] func(ctx context.Context, in In) (Out, error)

// Invoke answers like a host: an error has the name of its class.
func (f here[In, Out]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var in In
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := f(ctx, in)
	var failed *failure.Error
	if errors.As(err, &failed) {
		return nil, &host.Failure{Type: string(failure.Of(err)), Message: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// setClocks gives planner and governor clocks of their own. A worker decides by no clock but that of Postgres.
func (s *stack) setClocks(t *testing.T, planner, governor time.Duration) {
	t.Helper()
	clock := func(off time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(off) } }
	session := func() *postgres.Session {
		made := postgres.NewSession(credentials.Fixed(s.db.URL), "test")
		t.Cleanup(made.Drop)
		return made
	}
	messages := queue.New(s.lanes.Queue.API, s.lanes.Queue.URL)
	terms := ledger.Terms{Lease: lease, Heartbeat: time.Minute}
	plans, beats := session(), session()
	known, planned := ledger.New(plans, terms), records.New(s.client, s.table, time.Hour, clock(planner))
	p := &planning.Planner{Session: plans, Ledger: known, Records: planned, LookAhead: 6,
		Dispatcher: dispatch.New(known, planned, messages), Reviewer: review.Reviewer{Session: plans, Inline: true},
		Rebuilder: rebuild.Rebuilder{Session: plans, Ledger: known, Records: planned}}
	watched, governed := ledger.New(beats, terms), records.New(s.client, s.table, time.Hour, clock(governor))
	g := &governing.Governor{Ledger: watched, Records: governed, Completer: completion.New(watched, governed),
		Drainer: repair.Drainer{Letters: &runtest.Letters{}, Ledger: watched, Records: governed}, Duration: time.Second,
		Canaries: canary.Canaries{Ledger: watched, Pauser: pausing.New(watched, governed)},
		Follower: following.Follower{Session: beats, Ledger: watched, Records: governed},
		Closer:   closing.New(watched, governed), Rebuilder: rebuild.Rebuilder{Session: beats, Ledger: watched, Records: governed},
		Pauser: pausing.New(watched, governed), Regulator: regulator.Regulator{Session: beats, Ledger: watched},
		Repairer: repair.New(watched, dispatch.New(watched, governed, messages), clock(governor)), LookAhead: 6, MaxWorkers: 2}
	s.machine.Planner, s.machine.Governor = here[planning.Call, turn.Turn](p.Handle), here[turn.Turn, turn.Turn](g.Beat)
}

func TestClocksAreTwoMinutesApart(t *testing.T) {
	t.Parallel()
	const apart = 2 * time.Minute
	type clocks struct{ planner, governor time.Duration }
	sideways(t, pgtest.Newest(t), map[string]clocks{
		"the governor's is late":  {planner: apart / 2, governor: -apart / 2},
		"the governor's is early": {planner: -apart / 2, governor: apart / 2},
		"the planner's is late":   {planner: -apart},
		"the planner's is early":  {planner: apart},
	}, func(t *testing.T, db pgtest.Database, c clocks) {
		s := deploy(t, db, plan{workers: 2})
		s.setClocks(t, c.planner, c.governor)
		s.falls(t, increment{rows: 12_000, chunkRows: 1000}.makeTable(t, db), dead)
	})
}
