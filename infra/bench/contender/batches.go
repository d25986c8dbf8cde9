package contender

import "slices"

// Batches is how long the batches of a leg took. It is a round trip each, so no row was locked for longer.
type Batches struct {
	Timed int     `json:"timed"` // of each delivery at most a hundred, evenly over it
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
}

// newBatches is nil where nobody told.
func newBatches(milliseconds []float64) *Batches {
	if len(milliseconds) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(milliseconds))
	quantile := func(percent int) float64 { return sorted[max((len(sorted)*percent+99)/100-1, 0)] }
	return &Batches{Timed: len(sorted), P50: quantile(50), P95: quantile(95)}
}
