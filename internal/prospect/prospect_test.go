package prospect_test

import (
	"testing"

	"backfill/internal/change"
	"backfill/internal/prospect"
)

func TestReckon(t *testing.T) {
	t.Parallel()
	same := prospect.Stretch{Rows: 1000, InScope: 500, ToWrite: 250}
	for name, c := range map[string]struct {
		stretches []prospect.Stretch
		all       bool
		scope     prospect.Figure
	}{
		"all":          {[]prospect.Stretch{same, {Rows: 10, InScope: 0}}, true, prospect.Figure{Value: 500, From: 500, To: 500}},
		"alike":        {[]prospect.Stretch{same, same}, false, prospect.Figure{Value: 50_000, From: 49_950, To: 50_050}},
		"one":          {[]prospect.Stretch{same}, false, prospect.Figure{Value: 50_000, From: 0, To: 100_000}},
		"none":         {[]prospect.Stretch{{Rows: 1000}, {Rows: 1000}}, false, prospect.Figure{Value: 0, From: 0, To: 50}},
		"apart":        {[]prospect.Stretch{{Rows: 1000, InScope: 1000}, {Rows: 1000}}, false, prospect.Figure{Value: 50_000, From: 0, To: 100_000}},
		"without rows": {[]prospect.Stretch{same, same, {}}, false, prospect.Figure{Value: 50_000, From: 49_950, To: 50_050}},
	} {
		e := prospect.Extent{Rows: 100_000}
		e.Reckon(c.stretches, c.all)
		if e.InScope == nil || *e.InScope != c.scope {
			t.Errorf("%s: %+v, want %+v", name, e.InScope, c.scope)
		}
	}
	e := prospect.Extent{Rows: 100_000}
	if e.Reckon(nil, false); e.InScope != nil || e.ToWrite != nil || e.Estimate(change.Change{}, prospect.Relation{}, true) != nil {
		t.Errorf("nothing was looked at: %+v", e)
	}
}

// TestTheEstimateHoldsWhatWasMeasured: docs/performance.md, a million rows of 290 B with two indexes.
func TestTheEstimateHoldsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	e := prospect.Extent{Rows: 1_000_000, Counted: true}
	e.Reckon([]prospect.Stretch{{Rows: 1_000_000, InScope: 1_000_000, ToWrite: 1_000_000}}, true)
	table := prospect.Relation{RowBytes: 290, Indexes: 2}
	for name, c := range map[string]struct {
		passes                bool
		wal, growth, undo, at int64 // measured: MB, MB, MB, seconds
	}{
		"in passes": {true, 500, 26, 20, 5},
		"plain":     {false, 900, 345, 20, 7},
	} {
		got := e.Estimate(change.Change{Kind: change.Set, Undo: true}, table, c.passes)
		holds := func(f prospect.Figure, n int64) bool {
			return f.From <= n && n <= f.To && f.From <= f.Value && f.Value <= f.To
		}
		if !holds(got.WALBytes, c.wal*1e6) || !holds(got.GrowthBytes, c.growth*1e6) || !holds(got.UndoBytes, c.undo*1e6) || !holds(got.Seconds, c.at) || len(got.Assumed) < 3 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	gone := e.Estimate(change.Change{Kind: change.Delete}, table, true)
	if gone.GrowthBytes.To != 0 || gone.UndoBytes.To != 0 {
		t.Errorf("%+v", gone)
	}
}

// TestASummaryHasNoPlanAndNoSample: they may hold values of rows.
func TestASummaryHasNoPlanAndNoSample(t *testing.T) {
	t.Parallel()
	p := prospect.Prospect{Backfill: "a", Plan: prospect.Plan{Verdict: "fine", Lines: []string{"secret"}}}
	if s := p.Summary(); s.Plan != "fine" || s.Backfill != "a" {
		t.Errorf("%+v", s)
	}
}
