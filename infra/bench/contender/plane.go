package contender

import "backfill/infra/bench/journal"

// Plane is what a leg of the deployed stack used beside Postgres.
type Plane struct {
	Chunks     int64         `json:"chunks"`
	Workers    int64         `json:"workers,omitempty"`      // at a time, the most that the governor saw when it looked
	Deliveries int64         `json:"deliveries"`             // that workers left; more than Chunks where some were given back
	Calls      journal.Calls `json:"aws_calls"`              // all that came over the wire
	Functions  int64         `json:"aws_calls_of_functions"` // without reads for those who watched
	Own        int64         `json:"aws_calls_chunks_own"`   // of them, what each chunk causes: its pages, checkpoints and expiry
	Worker     int64         `json:"worker_ms"`              // of all deliveries
	Batches    int64         `json:"worker_batch_ms"`        // of them in batches
	Memory     int64         `json:"memory_bytes,omitempty"` // peak of a worker's process
	Inits      []float64     `json:"init_ms,omitempty"`      // of processes that were started meanwhile
}

// checkpoints of a delivery: that it has begun, and how it was left.
const checkpoints = 2

// newPlane takes the counts of a leg over so many chunks. The log does not tell checkpoints from other updates, so those that
// each delivery makes are counted by the deliveries; and the one by which a chunk expires with its run.
func newPlane(chunks, workers int64, e journal.Entries) *Plane {
	return &Plane{
		Chunks: chunks, Workers: workers, Deliveries: e.Deliveries.Chunks, Calls: e.Calls, Functions: e.Calls.Functions() - e.Answers,
		Own:    e.Calls.Pages() + checkpoints*e.Deliveries.Chunks + chunks,
		Worker: e.Deliveries.Millis, Batches: e.Deliveries.Batches, Memory: e.Memory, Inits: e.Inits,
	}
}
