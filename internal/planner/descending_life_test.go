package planner_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"backfill/internal/boundary"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/pausing"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// TestACanaryOfARunThatGoesDown has chunks from the top, the midst and the bottom, and the rest waits.
func TestACanaryOfARunThatGoesDown(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	line := b.Line(t)
	request, err := json.Marshal(map[string]any{"action": "start", "definition": strings.Replace(downwards, "n + 1", "(id / 10 + 1)::int", 1), "run": runtest.ID, "canary": "20%"})
	must(t, err)
	if got := line.Run(t, request, runtest.Execution); got.Next != turn.Pause {
		t.Fatalf("%+v", got)
	}
	done := b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10 + 1")
	tops, bottoms := b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10 + 1 AND id > 9500"), b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10 + 1 AND id <= 3000")
	if done != 300 && done != 250 || tops != 100 || bottoms == 0 {
		t.Errorf("the canary wrote %d rows, %d at the top, %d near the bottom", done, tops, bottoms)
	}
	_, err = pausing.New(b.Ledger, b.Records).Approve(t.Context(), runtest.ID, "ann")
	must(t, err)
	b.expectEnd(t, line.Watch(t, turn.Turn{Run: runtest.ID, Next: turn.Beat}), run.Completed)
	if n := b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10 + 1"); n != 1050 {
		t.Errorf("%d rows are written", n)
	}
}

// TestAVersionThatKnowsNoOrderPlansNothing of a run that goes down: what it takes for the bound is no key, so Postgres refuses what it would walk by.
func TestAVersionThatKnowsNoOrderPlansNothing(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, tops["bigint"].ddl+"; ANALYZE counters")
		b := &bundle{Bench: runtest.On(t, db)}
		b.planner = b.another(t, db.URL, 4)
		_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, downwards))
		must(t, err)
		stored, err := b.Ledger.Run(t.Context(), runtest.ID)
		must(t, err)
		var known keyset.Point
		must(t, b.Conn.QueryRow(t.Context(), "SELECT bound FROM backfill.runs").Scan(&known))
		if known == nil || !stored.Bound.Same(keyset.Point{"5490"}) {
			t.Fatalf("%v, %v", known, stored.Bound)
		}
		stored.Change.Order = ""
		for _, cursor := range []keyset.Point{nil, b.Record(t).Plan.Cursor} {
			window, err := boundary.Cut(t.Context(), b.Conn, stored.Change, cursor, known, 2)
			if !failure.Is(err, failure.Permanent) || len(window.Ranges) > 0 {
				t.Errorf("%+v, %v", window, err)
			}
		}
	})
}

// TestAnEmptyTableHasNoTop, and is COMPLETED.
func TestAnEmptyTableHasNoTop(t *testing.T) {
	t.Parallel()
	b := setup(t, 0, 6)
	b.expectEnd(t, b.Line(t).Run(t, startOf(runtest.ID, downwards).Request, runtest.Execution), run.Completed)
	b.expectDown(t, runtest.ID, 0)
}

// TestAChunkThatFailsOnTheWayDown ends the run; when its row is mended the run goes on, and what was passed over within a budget is tried again.
func TestAChunkThatFailsOnTheWayDown(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.DB.Exec(t, "ALTER TABLE counters ADD CHECK (n <> 501 OR id <> 5000), ADD CHECK (n <> 601 OR id <> 6000)")
	line := b.Line(t)
	got := line.Run(t, startOf(runtest.ID, downwards+"error_budget: 1\n").Request, runtest.Execution)
	if got.State != run.Failed || !strings.Contains(got.Reason, "chunk 5 failed") && !strings.Contains(got.Reason, "chunk 6 failed") {
		t.Fatalf("%+v", got)
	}
	b.DB.Exec(t, "ALTER TABLE counters DROP CONSTRAINT counters_check, DROP CONSTRAINT counters_check1")
	b.expectEnd(t, line.Run(t, errand("retry").Request, runtest.Later), run.Completed)
	b.expectDown(t, runtest.ID, 11)
	if n := b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10 + 1"); n != 1050 {
		t.Errorf("%d rows were changed once", n)
	}
}

// TestSomeChunksFromTheTopAreTakenBack, by their numbers.
func TestSomeChunksFromTheTopAreTakenBack(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	line := b.Line(t)
	b.expectEnd(t, line.Run(t, startOf(runtest.ID, downwards).Request, runtest.Execution), run.Completed)
	b.expectEnd(t, line.Run(t, json.RawMessage(`{"action":"rollback","run":"`+runtest.ID+`","chunks":"1-2,11"}`), runtest.Later), run.RolledBack)
	if n := b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10"); n != 250 {
		t.Errorf("%d rows are as they were", n)
	}
	if n := b.Number(t, "SELECT count(*) FROM counters WHERE n = id / 10 AND (id > 8500 OR id <= 500)"); n != 250 {
		t.Errorf("%d rows of the chunks are as they were", n)
	}
}

// TestARunThatWentDownIsVerified: every row up to the bound is looked at.
func TestARunThatWentDownIsVerified(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.DB.Exec(t, "ALTER TABLE counters ADD m bigint; ANALYZE counters")
	line := b.Line(t)
	b.expectEnd(t, line.Run(t, startOf(runtest.ID, strings.Replace(downwards, "{n: n + 1}", "{m: id}", 1)).Request, runtest.Execution), run.Completed)
	b.DB.Exec(t, "UPDATE counters SET m = 0 WHERE id IN (10, 5000, 10500)")
	b.expectEnd(t, line.Run(t, errand("verify").Request, runtest.Later), run.Completed)
	progress, err := b.Ledger.Look(t.Context(), runtest.ID)
	must(t, err)
	if c := progress.Certified; c == nil || !c.Holds || !c.Tiled || c.Values.Rows != 1050 || c.Values.Deviating != 3 || c.Values.Mended != 3 {
		t.Fatalf("%+v", c)
	}
}

// TestChunksWithoutARowInScopeAreSkippedOnTheWayDown, by the index on where; those that have one are sent, and no row is missed.
func TestChunksWithoutARowInScopeAreSkippedOnTheWayDown(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := scattered(t, db, 20_000, thousands, partial)
		sent := b.begun(t, sparse+"order: descending\n")
		if got := numbers(sent); !slices.Equal(got, []int64{6, 18}) {
			t.Errorf("%v were sent", got)
		}
		line := b.Line(t)
		_, err := b.Queue.Send(t.Context(), sent)
		must(t, err)
		b.expectEnd(t, line.Watch(t, turn.Turn{Run: runtest.ID, Next: turn.Beat}), run.Completed)
		b.expectDown(t, runtest.ID, 20)
		if n := b.Number(t, "SELECT count(*) FROM counters WHERE n = id + 1"); n != 3 {
			t.Errorf("%d of 3 rows are changed", n)
		}
	})
}
