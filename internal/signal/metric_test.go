package signal_test

import (
	"math"
	"testing"

	"backfill/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// TestAQueryThatRunsShareIsReadOnce, with the strictest limit; queries of one name are told apart by their runs.
func TestAQueryThatRunsShareIsReadOnce(t *testing.T) {
	t.Parallel()
	depth := func(query string, limit float64, of string) signal.Metric {
		return signal.Metric{Name: "depth", Query: query, Limit: limit, Of: of}
	}
	for name, c := range map[string]struct {
		runs map[string][]signal.Metric
		want []signal.Metric
	}{
		"none":   {map[string][]signal.Metric{"a": nil}, nil},
		"shared": {map[string][]signal.Metric{"a": {depth("1", 9, "")}, "b": {depth("1", 4, "")}, "c": {depth("1", signal.Off, "")}}, []signal.Metric{depth("1", 4, "")}},
		"apart":  {map[string][]signal.Metric{"a": {depth("1", 9, "")}, "b": {depth("2", 4, "")}}, []signal.Metric{depth("1", 9, "a"), depth("2", 4, "b")}},
	} {
		if diff := cmp.Diff(c.want, signal.Together(c.runs)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := depth("1", 4, "").Read(number(math.Inf(1)), ""); got.Value != nil || got.Missing == "" {
		t.Errorf("%+v", got)
	}
	unit := signal.Metric{Name: "depth", Limit: 100, Unit: "jobs"}
	if text := unit.Read(number(240), "").String(); text != "depth 240 of 100 jobs" {
		t.Error(text)
	}
}
