package users

import "time"

// schedule says when each request is due, whatever became of those before it.
type schedule struct {
	begin  time.Time
	period time.Duration
}

func (s schedule) due(number int) time.Time { return s.begin.Add(time.Duration(number) * s.period) }

// sample is one request: when it was due, and how long after that its answer came. A request that had to wait for a
// free connection has waited.
type sample struct {
	due     time.Time
	latency time.Duration
}

// between gives the latencies of the requests that were due in a span, of which the end belongs to the next.
func between(samples []sample, from, to time.Time) []time.Duration {
	var found []time.Duration
	for _, s := range samples {
		if !s.due.Before(from) && s.due.Before(to) {
			found = append(found, s.latency)
		}
	}
	return found
}
