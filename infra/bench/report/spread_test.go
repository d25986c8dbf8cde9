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
	got := compared(figures, "leg", "base", func(f, base Figure) (float64, bool) { return ratio(f.Seconds, base.Seconds) })
	if want := (Spread{0.5, 0.5, 0.5, 2}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
