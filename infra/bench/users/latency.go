package users

import (
	"slices"
	"time"
)

// Latency of one kind of request, in milliseconds.
type Latency struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
}

func summarize(latencies []time.Duration) Latency {
	if len(latencies) == 0 {
		return Latency{}
	}
	slices.Sort(latencies)
	return Latency{
		Requests: len(latencies), P50: milliseconds(quantile(latencies, 50)), P99: milliseconds(quantile(latencies, 99)),
		Max: milliseconds(latencies[len(latencies)-1]),
	}
}

// quantile is the smallest value that so many percent of the sorted ones do not exceed.
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max((len(sorted)*percent+99)/100-1, 0)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
