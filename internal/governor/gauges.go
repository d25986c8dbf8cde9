package governor

import (
	"backfill/internal/gauge"
	"backfill/internal/run"
	"backfill/internal/signal"
	"backfill/internal/turn"
)

// shown are the signals of the database that are told beside the run's own figures: the highest of each.
var shown = map[signal.Name]gauge.Gauge{
	signal.LockWaiters: gauge.LockWaiters, signal.ReplicaTime: gauge.ReplicaLag, signal.Horizon: gauge.SnapshotAge, signal.CommitTime: gauge.CommitTime,
}

// endings count runs by how they ended.
var endings = map[run.State]gauge.Gauge{
	run.Completed: gauge.RunsCompleted, run.Failed: gauge.RunsFailed, run.Cancelled: gauge.RunsCancelled, run.RolledBack: gauge.RunsRolledBack,
}

// gauge tells how the run stands at the end of the beat, in one line. A beat that failed has figures too.
func (b *beat) gauge(next turn.Next) {
	s := b.record.Status
	figures := gauge.Figures{
		gauge.Rate: gauge.One(s.Rate), gauge.Workers: gauge.Whole(s.Concurrency), gauge.ChunksWaiting: gauge.Whole(s.Chunks.Pending),
		gauge.Stalled: gauge.If(b.stalled), gauge.LeasesExpired: gauge.Whole(b.expired),
	}
	if s.Chunks.AllPlanned && s.Chunks.Total > 0 {
		figures[gauge.Progress] = gauge.One(100 * float64(s.Chunks.Completed+s.Chunks.RolledBack) / float64(s.Chunks.Total))
	}
	if s.Throttle.Rate != nil {
		figures[gauge.RateAllowed] = gauge.One(*s.Throttle.Rate)
	}
	if b.cause != "" && s.State.Moves() {
		figures[gauge.Slowed] = gauge.Whole(1)
	}
	for _, reading := range s.Throttle.Signals {
		if of, told := shown[reading.Name]; told && reading.Value != nil {
			figures[of] = gauge.One(max(*reading.Value, first(figures[of])))
		}
	}
	if next == turn.End {
		for state, of := range endings {
			figures[of] = gauge.If(state == s.State)
		}
	}
	b.governor.Gauges.Write(gauge.Subject{Run: s.Run, Backfill: s.Backfill, Reason: string(b.cause)}, figures)
}

func first(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[0]
}
