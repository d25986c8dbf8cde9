package report

import "backfill/infra/bench/contender"

// What is told of workers.
var (
	workers  = measure{name: "workers", head: "workers", compare: func(f, _ Figure) (float64, bool) { return float64(f.Workers), f.Workers > 0 }, text: decimals(0)}
	batchP50 = batches("batch_p50_ms", "batch p50 ms", func(b contender.Batches) float64 { return b.P50 })
	batchP95 = batches("batch_p95_ms", "p95 (<= 100)", func(b contender.Batches) float64 { return b.P95 })
)

func batches(name, head string, value func(contender.Batches) float64) measure {
	return measure{name: name, head: head, text: decimals(0), compare: func(f, _ Figure) (float64, bool) {
		if f.Batches == nil {
			return 0, false
		}
		return value(*f.Batches), true
	}}
}
