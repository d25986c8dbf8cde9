package report

import (
	"testing"

	"backfill/infra/bench/meter"
)

func TestSpread(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   Spread
	}{
		"none": {nil, Spread{}},
		"one":  {[]float64{7}, Spread{7, 7, 7, 1}},
		"odd":  {[]float64{9, 1, 2}, Spread{2, 1, 9, 3}},
		"even": {[]float64{4, 1, 9, 2}, Spread{3, 1, 9, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := spread(c.values); got != c.want {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestRatiosAreWithinARound: a machine that is three times as slow in a round is so for both.
func TestRatiosAreWithinARound(t *testing.T) {
	figure := func(round int, leg string, seconds float64) Figure {
		return Figure{Round: round, Leg: leg, Cost: meter.Cost{Seconds: seconds}}
	}
	figures := []Figure{
		figure(1, "base", 10), figure(1, "leg", 5),
		figure(2, "leg", 15), figure(2, "base", 30),
		figure(3, "leg", 1),                       // no base: it was cut short
		figure(4, "base", 0), figure(4, "leg", 1), // no ratio over nothing
	}
	got := compared(figures, work{leg: "leg"}, "base", func(f, base Figure) (float64, bool) { return ratio(f.Seconds, base.Seconds) })
	if want := (Spread{0.5, 0.5, 0.5, 2}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

// TestWorkIsComparedWithThatOfAsManyWorkers, and with what knows no number of them.
func TestWorkIsComparedWithThatOfAsManyWorkers(t *testing.T) {
	figure := func(leg string, workers int, seconds float64) Figure {
		return Figure{Round: 1, Leg: leg, Workers: workers, Cost: meter.Cost{Seconds: seconds}}
	}
	figures := []Figure{
		figure("alone", 0, 12), figure("first", 1, 10), figure("first", 2, 6), figure("then", 1, 5), figure("then", 2, 2), figure("then", 4, 1),
	}
	for name, c := range map[string]struct {
		of   work
		base string
		want float64
	}{
		"as many":   {work{"then", 2}, "first", 3},
		"one":       {work{"then", 1}, "first", 2},
		"no base":   {work{"then", 4}, "first", 0},
		"no number": {work{"then", 4}, "alone", 12},
	} {
		got := compared(figures, c.of, c.base, func(f, base Figure) (float64, bool) { return ratio(base.Seconds, f.Seconds) })
		if got.Median != c.want {
			t.Errorf("%s: got %+v, want %v", name, got, c.want)
		}
	}
}
