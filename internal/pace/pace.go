// Package pace sizes batches, so that each holds its row locks for 50 to 100 ms.
//
// It owns the feedback from the duration of the last batch to the rows of the next. It leaves the rate of a run to
// the throttle. Invariant: a size is always within [Fewest, Most], and below Least only where rows are wide or dear.
package pace

import "time"

const (
	// Least keeps a batch larger than its fixed cost (a round trip, a commit).
	Least = 50
	// Fewest is for rows so wide that Least of them are more than MostBytes, or so dear that they take longer than a batch may.
	Fewest = 4
	// Most bounds what a quick batch may grow to: at 10,000 rows a user's update waited 73 ms at p99 (p50 of the
	// batch itself 300 ms), so more rows can only pay where rows are skipped.
	Most = 10_000
	// Start is cautious: it is met by the first batch of a chunk, before anything is known.
	Start = 500
	// Target is the middle of the 50-100 ms that users do not notice.
	Target = 75 * time.Millisecond
	// MostBytes bounds what a batch keeps for undo: it is one value in the memory of a backend, which copies it twice.
	MostBytes = 4 << 20
	// growth bounds a step up, so that one quick batch (all rows skipped) does not lead to a slow one.
	growth = 1.5
	// shrink bounds a step down, so that one hiccup of the disk does not cost the next twenty batches.
	shrink = 0.5
)

// Pace is the size of the next batch. Its zero value starts at Start rows.
type Pace struct{ rows float64 }

// New starts with what MostBytes allows for rows of that size; 0: not known.
func New(rowBytes int64) Pace {
	if rowBytes <= MostBytes/Start {
		return Pace{}
	}
	return Pace{rows: max(float64(MostBytes)/float64(rowBytes), Fewest)}
}

// Rows is the number of keys for the next batch.
func (p *Pace) Rows() int64 {
	if p.rows == 0 {
		p.rows = Start
	}
	return int64(p.rows)
}

// Observe tells how long a batch of so many keys took, and how many bytes it kept. A short last batch of a chunk is
// mostly fixed cost and says nothing about a full one.
func (p *Pace) Observe(rows int64, took time.Duration, bytes int64) {
	if rows*2 < p.Rows() || took <= 0 {
		return
	}
	factor := float64(Target) / float64(took) * float64(rows) / float64(p.Rows())
	p.scale(min(max(factor, shrink), growth))
	if bytes > 0 {
		p.rows = max(min(p.rows, float64(rows)*MostBytes/float64(bytes)), Fewest)
	}
}

// Shrink halves the next batch, down to Least: the last one met a lock.
func (p *Pace) Shrink() { p.scale(shrink) }

// Overrun makes the next batch a quarter, down to Fewest: the last one took longer than it may. Its rows are dear, or wider than
// anybody knew. From Start it is there in four steps, which is less than a worker tries.
func (p *Pace) Overrun() { p.rows = max(float64(p.Rows())*shrink*shrink, Fewest) }

func (p *Pace) scale(factor float64) {
	before := float64(p.Rows())
	p.rows = min(max(before*factor, min(before, Least)), Most)
}
