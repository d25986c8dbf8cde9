package report

import "backfill/infra/bench/contender"

// plane are the columns of what the deployed stack uses beside Postgres, with what each should be.
var plane = []measure{
	{name: "chunks", head: "chunks", compare: of(func(p contender.Plane) float64 { return float64(p.Chunks) }), text: decimals(0)},
	{name: "workers_seen", head: "workers at a time", compare: of(func(p contender.Plane) float64 { return float64(p.Workers) }), text: decimals(0)},
	{name: "first_chunk_s", head: "first chunk s (< 1)", compare: func(f, _ Figure) (float64, bool) { return f.First, f.Plane != nil && f.First > 0 }, text: func(s Spread) string { return between(s, 1) }},
	{name: "calls_per_chunk", head: "AWS calls/chunk (<= 12)", compare: over(func(p contender.Plane) (int64, int64) { return p.Functions, p.Chunks }), text: decimals(1)},
	{name: "own_calls_per_chunk", head: "a chunk's own", compare: over(func(p contender.Plane) (int64, int64) { return p.Own, p.Chunks }), text: decimals(1)},
	{name: "other_calls_per_second", head: "other calls/s (<= 1)", compare: others, text: decimals(2)},
	{name: "control_share", head: "control plane (<= 3 %)", compare: share, text: tenths},
	{name: "memory_mb", head: "memory MB (<= 64)", compare: of(func(p contender.Plane) float64 { return float64(p.Memory) / (1 << 20) }), text: decimals(0)},
	{name: "init_ms", head: "init ms (<= 60)", compare: inits, text: decimals(0)},
}

// of is a figure of the deployed stack; none where it is not known.
func of(value func(contender.Plane) float64) func(f, _ Figure) (float64, bool) {
	return func(f, _ Figure) (float64, bool) {
		if f.Plane == nil {
			return 0, false
		}
		found := value(*f.Plane)
		return found, found > 0
	}
}

func over(values func(contender.Plane) (one, other int64)) func(f, _ Figure) (float64, bool) {
	return func(f, _ Figure) (float64, bool) {
		if f.Plane == nil {
			return 0, false
		}
		one, other := values(*f.Plane)
		return ratio(float64(one), float64(other))
	}
}

// others are the calls that a run makes as long as it lives, whatever its chunks.
func others(f, _ Figure) (float64, bool) {
	if f.Plane == nil {
		return 0, false
	}
	return ratio(float64(f.Plane.Functions-f.Plane.Own), f.Seconds)
}

// share of the workers' time that was not in a batch: claims, checkpoints, the choice of passes.
func share(f, _ Figure) (float64, bool) {
	if f.Plane == nil || f.Plane.Batches == 0 { // workers of an older deployment do not tell
		return 0, false
	}
	return ratio(float64(f.Plane.Worker-f.Plane.Batches), float64(f.Plane.Worker))
}

// inits is the median of the processes that were started.
func inits(f, _ Figure) (float64, bool) {
	if f.Plane == nil || len(f.Plane.Inits) == 0 {
		return 0, false
	}
	return spread(append([]float64(nil), f.Plane.Inits...)).Median, true
}
