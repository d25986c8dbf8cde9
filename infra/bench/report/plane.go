package report

import "backfill/infra/bench/contender"

// plane are the columns of what the deployed stack uses beside Postgres, with what each should be.
var plane = []measure{
	{"chunks", "chunks", "", of(func(p contender.Plane) float64 { return float64(p.Chunks) }), decimals(0)},
	{"calls_per_chunk", "AWS calls/chunk (<= 12)", "", over(func(p contender.Plane) (int64, int64) { return p.Functions, p.Chunks }), decimals(1)},
	{"own_calls_per_chunk", "a chunk's own", "", over(func(p contender.Plane) (int64, int64) { return p.Own, p.Chunks }), decimals(1)},
	{"other_calls_per_second", "other calls/s (<= 1)", "", others, decimals(2)},
	{"control_share", "control plane (<= 3 %)", "", share, tenths},
	{"memory_mb", "memory MB (<= 64)", "", of(func(p contender.Plane) float64 { return float64(p.Memory) / (1 << 20) }), decimals(0)},
	{"init_ms", "init ms (<= 60)", "", inits, decimals(0)},
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
