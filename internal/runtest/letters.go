package runtest

import (
	"context"
	"slices"
	"strconv"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/queue"
)

// Letters is a dead-letter queue. It stands in for SQS; what was received and not deleted stays hidden until Reappear.
type Letters struct {
	visible, hidden []queue.Letter
	put             int
}

// Put puts messages there; nil is one that is no chunk's.
func (l *Letters) Put(messages ...*chunk.Message) {
	for _, message := range messages {
		l.put++
		l.visible = append(l.visible, queue.Letter{ID: strconv.Itoa(l.put), SentAt: time.Now(), Handle: strconv.Itoa(l.put), Message: message})
	}
}

// Receive gives up to ten.
func (l *Letters) Receive(context.Context) ([]queue.Letter, error) {
	some := slices.Clone(l.visible[:min(10, len(l.visible))])
	l.visible, l.hidden = l.visible[len(some):], append(l.hidden, some...)
	return some, nil
}

// Delete takes letters away that were received.
func (l *Letters) Delete(_ context.Context, letters []queue.Letter) error {
	l.hidden = slices.DeleteFunc(l.hidden, func(kept queue.Letter) bool {
		return slices.ContainsFunc(letters, func(gone queue.Letter) bool { return gone.Handle == kept.Handle })
	})
	return nil
}

// Reappear lets the time go by for which letters are hidden.
func (l *Letters) Reappear() { l.visible, l.hidden = append(l.visible, l.hidden...), nil }

// Left is how many there are.
func (l *Letters) Left() int { return len(l.visible) + len(l.hidden) }
