// Package bill says what a run asks of AWS and what that costs: counts by a model of the code, dollars by list prices.
//
// It owns the model, the prices and the tables of docs/cost.md, and is asked for each report. It leaves counting what a run really asks to
// internal/faults (TestWhatAChunkAsksOfAWS), whose record of a small run the model is held against. Invariant: where a count
// depends on how quick workers are, the model takes the most.
package bill

import "math"

// Run is what is to be estimated. Numbers of the template that are not here are its defaults.
type Run struct {
	Rows          int64
	ChunkRows     int64
	LookAhead     int64   // chunks planned ahead
	Beat          float64 // seconds of a beat
	Seconds       float64 // from its start to its end
	WorkerSeconds float64 // of all workers together
	Again         int64   // deliveries beyond the first of each chunk
}

// The template's defaults, and what the functions have by themselves.
const (
	chunkRows    = 100_000
	lookAhead    = 64
	beatSeconds  = 55
	segmentBeats = 400
	workerGB     = 0.5
	otherGB      = 0.25

	firstPage, largestPage = 2, 16 // chunks
	sendEntries            = 10    // chunks in a send
	sampleSeconds          = 2.
	repairSeconds          = 30.
	shards                 = 16
	chunkBytes             = 400       // of a chunk's item, with a key of one number and a name of some length
	runUnits               = 2         // write units of a run's item: up to 2 kB
	queryBytes             = 1_000_000 // of an answer
	readBytes              = 4_096     // of a read unit
)

// At is a run of so many rows by so many workers, each of which changes so many rows in a second.
func At(rows, workers int64, rowsPerSecond float64) Run {
	busy := float64(rows) / rowsPerSecond
	return Run{Rows: rows, ChunkRows: chunkRows, LookAhead: lookAhead, Beat: beatSeconds,
		Seconds: busy / float64(workers), WorkerSeconds: busy}
}

// Measured is a run that was: so many chunks and deliveries beyond the first of each, and how long it moved.
func Measured(chunks, again int64, seconds, workerSeconds float64) Run {
	return Run{Rows: chunks, ChunkRows: 1, LookAhead: lookAhead, Beat: beatSeconds, Seconds: seconds, WorkerSeconds: workerSeconds, Again: again}
}

// Chunks of the run.
func (r Run) Chunks() int64 { return max(1, (r.Rows+r.ChunkRows-1)/r.ChunkRows) }

// plan is how the planner gets through the chunks.
type plan struct{ calls, pages, sends int64 }

// plan walks as the planner does: it fills the look-ahead, and is called again when less than half of it waits.
func (r Run) plan() (p plan) {
	left := r.Chunks()
	for waiting := int64(0); left > 0; waiting = r.LookAhead/2 - 1 {
		p.calls++
		for size := int64(firstPage); left > 0 && waiting < r.LookAhead; size = min(size*2, largestPage) {
			page := min(size, r.LookAhead-waiting, left)
			p.pages++
			p.sends += (page + sendEntries - 1) / sendEntries
			left -= page
			waiting += page
		}
	}
	return p
}

// beats of the run, at most: each plan ends one early.
func (r Run) beats() int64 { return r.plan().calls + int64(math.Ceil(r.Seconds/r.Beat)) }
