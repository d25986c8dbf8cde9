package batch

import "time"

// oldest is how old may be what was computed when its rows are written or passed over. A worker waits meanwhile where the run's rate is low, or
// while it backs off. What is written is compared with what was read however old that is; what is not written is not.
const oldest = 10 * time.Second

// old tells whether a stretch has waited for too long.
func (t *Transformed) old(s stretch) bool {
	most := t.Oldest
	if most == 0 {
		most = oldest
	}
	return time.Since(s.since) > most
}

// drop has all be read again from what is committed. A call that is under way is waited for: the source is its own until then.
func (t *Transformed) drop() {
	if t.ahead != nil {
		t.answer()
	}
	t.ready = stretch{}
	t.Source.reset()
}
