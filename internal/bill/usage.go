package bill

import "math"

// Calls to AWS, by operation, of all functions.
type Calls struct {
	Get, BatchGet, Query, Put, Update, Delete, Transact, Send, Receive int64
}

// Sum of all.
func (c Calls) Sum() int64 {
	return c.Get + c.BatchGet + c.Query + c.Put + c.Update + c.Delete + c.Transact + c.Send + c.Receive
}

// Calls of the run's functions, without those of people who watch.
func (r Run) Calls() Calls {
	chunks, plan, beats := r.Chunks(), r.plan(), r.beats()
	repairs := int64(r.Seconds/repairSeconds) + 1
	const created, planned, closed = 1, 1, 1 // of the run's item
	return Calls{
		Get:      plan.calls + plan.pages + beats + 1, // when it ends: the plan, which tells where checkpoints are
		BatchGet: repairs,
		Query:    plan.calls + repairs + r.queries() + 1, // when it ends: checkpoints are compared and let go; the outbox
		Put:      created,
		Update:   planned + 2*(chunks+r.Again) + chunks + r.samples() + r.Segments() + closed, // two checkpoints, and one to let it go
		Delete:   plan.pages,
		Transact: plan.pages,
		Send:     plan.sends + r.Again,
		Receive:  beats, // a look into the dead-letter queue
	}
}

// samples of the governor, each of which writes the run's progress: one at each beat's start, and at the end of the run.
func (r Run) samples() int64 { return int64(r.Seconds/sampleSeconds) + r.beats() + 1 }

// Own are the calls that the chunks cause, however long they take: planning, messages, checkpoints, expiry. What else a run asks, it asks
// because time passes.
func (r Run) Own() int64 {
	plan, perChunk := r.plan(), r.Chunks()+2*(r.Chunks()+r.Again)
	const begin, cut = 2, 3 // the planner reads the plan and the outbox; it ends a beat early: another reads the plan, looks and samples
	const page = 3          // its plan is read, it is committed, and leaves the outbox
	return perChunk + (begin+cut)*plan.calls + page*plan.pages + plan.sends + r.Again
}

// queries to read every chunk once: those of a small run are in few shards.
func (r Run) queries() int64 {
	taken := min(r.Chunks(), shards)
	perShard := float64(r.Chunks()) / float64(taken) * chunkBytes
	return taken * int64(math.Max(1, math.Ceil(perShard/queryBytes)))
}

// WriteUnits of DynamoDB: a kB each, twice in a transaction.
func (r Run) WriteUnits() int64 {
	chunks, plan := r.Chunks(), r.plan()
	const cursor, outbox = 2 * runUnits, 2
	return 2*chunks + plan.pages*(cursor+outbox+1) + 3*chunks + 2*r.Again + runUnits*(r.samples()+r.Segments()+3)
}

// ReadUnits of DynamoDB: 4 kB each, all of them consistent.
func (r Run) ReadUnits() int64 {
	calls := r.Calls()
	chunks := float64(r.Chunks()) * chunkBytes / readBytes
	return calls.Get + calls.BatchGet*r.LookAhead + calls.Query + int64(math.Ceil(chunks))
}

// Requests of SQS: those of the functions, and for each chunk a receive and a delete by Lambda's poller.
func (r Run) Requests() int64 { return r.plan().sends + r.beats() + 2*r.Chunks() + 3*r.Again }

// Invocations of all functions.
func (r Run) Invocations() int64 { return r.Chunks() + r.Again + r.plan().calls + r.beats() }

// Segments are the child executions.
func (r Run) Segments() int64 { return (r.beats() + segmentBeats - 1) / segmentBeats }

// Transitions of both state machines: Beat and AfterBeat, Plan and AfterPlan, Done; around them Begin to Completed.
func (r Run) Transitions() int64 {
	const around = 5
	return 2*r.beats() + 2*r.plan().calls + 3*r.Segments() + around
}

// History is the number of events of the longest execution, without retries: a task has 5, one that waits for an execution 6,
// a choice 2, start and end 4 together.
func (r Run) History() int64 {
	const task, waiting, choice, ends = 5, 6, 2, 4
	segment := ends + (task+choice)*(min(r.beats(), segmentBeats)+min(r.plan().calls, segmentBeats))
	around := ends + (task + choice) + (waiting+choice)*r.Segments() + choice + task // begin; segments; how it ended, and the notice of it
	return max(segment, around)
}

// GBSeconds of Lambda. The governor watches for as long as the run lasts; the planner's time is below a percent of that.
func (r Run) GBSeconds() float64 { return workerGB*r.WorkerSeconds + otherGB*r.Seconds }

// LogBytes: what a function prints, and Lambda's three lines.
func (r Run) LogBytes() int64 { return 1_500 * r.Invocations() }

// Traces that are recorded: the first of each second, and a twentieth of the others.
func (r Run) Traces() int64 { return min(r.Invocations(), int64(r.Seconds)+r.Invocations()/20) }
