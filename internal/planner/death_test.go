package planner_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// errDead ends a planner that is killed while it sends.
var errDead = errors.New("killed")

// TestAStartGoesOnWhereverAPlannerDied kills a planner at its n-th moment, for each n that a start has: before and
// after each call of DynamoDB, and after each send. The same start again is the same run, whole.
func TestAStartGoesOnWhereverAPlannerDied(t *testing.T) {
	t.Parallel()
	b := setup(t, 450, 9)
	n := 1
	for ; b.dies(t, n, increment); n++ {
		id := fmt.Sprintf("run-%d", n)
		got, err := b.planner.Handle(t.Context(), start(id))
		must(t, err)
		b.expectStarted(t, id, got)
	}
	if n < 20 {
		t.Fatalf("a start has only %d moments", n)
	}
}

// dies starts run-n by a planner that is killed at its n-th moment. False: it came through.
func (b *bundle) dies(t *testing.T, n int, definition string) bool {
	t.Helper()
	b.Exec(t, "TRUNCATE backfill.runs, backfill.ledger")
	b.Queue.Take()
	life, kill := context.WithCancel(t.Context())
	defer kill()
	var moments atomic.Int64 // copies are written side by side
	moment := func(string) {
		if moments.Add(1) == int64(n) {
			kill()
		}
	}
	b.Wire.Before, b.Wire.After = moment, moment
	b.Queue.Answer = func([]chunk.Message) ([]int64, error) {
		if moment(""); life.Err() != nil {
			return nil, errDead
		}
		return nil, nil
	}
	p := b.another(t, b.DB.URL, 9)
	_, err := p.Handle(life, startOf(fmt.Sprintf("run-%d", n), definition))
	p.Session.(*postgres.Session).Drop()
	b.Wire.Before, b.Wire.After, b.Queue.Answer = nil, nil, nil
	if killed := moments.Load() >= int64(n); !killed && err != nil || killed != (life.Err() != nil) {
		t.Fatalf("moment %d of %d: %v", n, moments.Load(), err)
	}
	return moments.Load() >= int64(n)
}

// expectStarted demands a run that is planned, sent and RUNNING in both stores.
func (b *bundle) expectStarted(t *testing.T, id string, got turn.Turn) {
	t.Helper()
	if diff := cmp.Diff(turn.Turn{Run: id, State: run.Running, Next: turn.Beat}, got); diff != "" {
		t.Fatalf("%s: %s", id, diff)
	}
	b.expectPlan(t, id, 5, 4500, b.Queue.Take())
	stored, err := b.Ledger.Run(t.Context(), id)
	must(t, err)
	record, err := b.Records.Run(t.Context(), id)
	must(t, err)
	if stored.State != run.Running || record.Status.State != run.Running || !record.Plan.Closed || record.Plan.Planned != 5 {
		t.Fatalf("%s is %s in the ledger; record: %+v", id, stored.State, record)
	}
}

// TestAStartSurvivesEveryLostAnswerOfPostgres: the connection is cut at the n-th answer, after it had its effect.
func TestAStartSurvivesEveryLostAnswerOfPostgres(t *testing.T) {
	t.Parallel()
	b := setup(t, 450, 9)
	cuts := b.lose(t, increment, func(id string, got turn.Turn) { b.expectStarted(t, id, got) })
	if cuts < 10 {
		t.Fatalf("a start has only %d answers after its review", cuts)
	}
}

// lose starts a run for each answer of Postgres that a start has, each of which is lost, and tells how many there are. It
// begins with the answers of a review, which stores nothing.
func (b *bundle) lose(t *testing.T, definition string, expect func(id string, got turn.Turn)) (cuts int64) {
	t.Helper()
	proxy := pgtest.NewProxy(t, b.DB)
	var answers, at atomic.Int64
	proxy.CutWhen(func(fromServer bool, kind byte) bool {
		return fromServer && kind == pgtest.ReadyForQuery && answers.Add(1) == at.Load()
	})
	_, err := b.another(t, proxy.URL, 9).Reviewer.Review(t.Context(), review.Subject{Definition: definition})
	must(t, err)
	first := answers.Load()
	for at.Store(first); ; at.Add(1) {
		id, got, cut := b.cutAt(t, proxy, &answers, at.Load(), definition)
		if expect(id, got); !cut {
			return at.Load() - first
		}
	}
}

// cutAt starts a run whose n-th answer is lost, and then again. Not cut: there is no n-th answer.
func (b *bundle) cutAt(t *testing.T, proxy *pgtest.Proxy, answers *atomic.Int64, n int64, definition string) (id string, got turn.Turn, cut bool) {
	t.Helper()
	b.Exec(t, "TRUNCATE backfill.runs, backfill.ledger")
	b.Queue.Take()
	answers.Store(0)
	id = fmt.Sprintf("run-%d", n)
	p := b.another(t, proxy.URL, 9)
	got, err := p.Handle(t.Context(), startOf(id, definition))
	p.Session.(*postgres.Session).Drop()
	if cut = answers.Load() >= n; cut {
		got, err = b.planner.Handle(t.Context(), startOf(id, definition))
	}
	must(t, err)
	return id, got, cut
}
