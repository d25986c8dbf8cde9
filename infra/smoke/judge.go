package main

import (
	"fmt"
	"slices"

	"backfill/internal/run"
)

// death is what was seen of a worker that no cancel reached.
type death struct {
	state      run.State
	affected   int64
	retries    int64 // claims after a death, or an error
	timeouts   int   // invocations that Lambda ended
	deliveries int   // of messages of the run, those that found nothing to do
	left       int64 // messages in the queue
	content    content
	known      bool // the content
}

func judgeDeath(d death) []check {
	checks := []check{
		{what: "timeout: a worker that cannot leave its chunk is killed", expected: "one or more timeouts in the worker's log",
			found: fmt.Sprint(d.timeouts), ok: d.timeouts > 0},
		{what: "timeout: its chunk is done by another delivery", expected: "COMPLETED, one claim or more beyond the first, 20000 rows counted",
			found: fmt.Sprintf("%s, %d, %d", d.state, d.retries, d.affected), ok: d.state == run.Completed && d.retries > 0 && d.affected == rows},
		{what: "redelivery: its message comes again after the visibility timeout, and is consumed", expected: "one delivery or more without work, 0 messages left",
			found: fmt.Sprintf("%d, %d", d.deliveries, d.left), ok: d.deliveries > 0 && d.left == 0},
	}
	once := check{what: "timeout: each row is changed once", expected: "20000 rows once, 0 otherwise",
		found: fmt.Sprintf("%d, %d", d.content.once, d.content.wrong), ok: d.content == content{once: rows}}
	if !d.known {
		once.skipped = byHand
	}
	return append(checks, once)
}

// byHand is why nobody looked into the table.
const byHand = "the table was made by hand; the statement for it comes at the end"

// stop is what was seen of a run whose execution somebody has stopped.
type stop struct {
	parent, child string // how they ended, by Step Functions
	childError    string // of the child: Backfill.RunCancelled is the control function's word
	state         run.State
	leases        int64
	affected      int64
	content       content
	known         bool
}

func judgeStop(s stop, local bool) []check {
	sync := check{what: "stop: Step Functions stops the child by itself (.sync)", expected: "ABORTED, and not by the control function",
		found: fmt.Sprintf("%s, error %q", s.child, s.childError), ok: s.child == "ABORTED" && s.childError != controlsWord}
	if local {
		sync.skipped = "LocalStack leaves the child running; the control function ends it"
	}
	checks := []check{
		{what: "stop: the execution is stopped", expected: "ABORTED", found: s.parent, ok: s.parent == "ABORTED"},
		sync,
		{what: "stop: no child is left", expected: "ABORTED", found: s.child, ok: s.child == "ABORTED"},
		{what: "stop: EventBridge tells the control function, which closes the run", expected: "CANCELLED, 0 leases",
			found: fmt.Sprintf("%s, %d", s.state, s.leases), ok: s.state == run.Cancelled && s.leases == 0},
	}
	counted := check{what: "stop: what was committed is counted, and no more", expected: fmt.Sprintf("%d rows once, some and not all; 0 otherwise", s.affected),
		found: fmt.Sprintf("%d, %d", s.content.once, s.content.wrong),
		ok:    s.content == content{once: s.affected} && s.affected > 0 && s.affected < rows}
	if !s.known {
		counted.skipped = byHand
	}
	return append(checks, counted)
}

// controlsWord is the error with which the control function stops a child.
const controlsWord = "Backfill.RunCancelled"

// crowd is what was seen while the reservation was used up.
type crowd struct {
	reserved, ceiling int32
	most              int64 // workers at once
	refused, accepted int   // invocations beside them
}

func judgeCrowd(c crowd) []check {
	return []check{
		{what: "concurrency: the ceiling of the queue is what is reserved", expected: "the same", found: fmt.Sprintf("%d, %d", c.ceiling, c.reserved), ok: c.ceiling == c.reserved},
		{what: "concurrency: the reservation is used, and held", expected: fmt.Sprintf("%d workers at once", c.reserved), found: fmt.Sprint(c.most), ok: c.most == int64(c.reserved)},
		{what: "concurrency: an invocation beyond it is refused", expected: "one or more refused", found: fmt.Sprintf("%d refused, %d accepted", c.refused, c.accepted), ok: c.refused > 0},
	}
}

// judgeRight compares what IAM says of a role's actions with what they should be.
func judgeRight(role string, allowed bool, want, got []string) check {
	word := "may not"
	if allowed {
		word = "may"
	}
	slices.Sort(want)
	slices.Sort(got)
	return check{what: "IAM: what the role of the " + role + " " + word + " do", expected: fmt.Sprint(want), found: fmt.Sprint(got), ok: slices.Equal(want, got)}
}
