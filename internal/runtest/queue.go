package runtest

import (
	"context"
	"sync"
	"time"

	"backfill/internal/chunk"
)

// Queue remembers what was sent. It stands in for SQS.
type Queue struct {
	mutex sync.Mutex
	sent  []chunk.Message
	// Answer decides about a batch, in place of accepting all of it.
	Answer func(messages []chunk.Message) (unsent []int64, err error)
}

// Send takes messages. Those of a batch that failed may have been accepted or not; here they are.
func (q *Queue) Send(ctx context.Context, messages []chunk.Message) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mutex.Lock()
	q.sent = append(q.sent, messages...)
	q.mutex.Unlock()
	if q.Answer != nil {
		return q.Answer(messages)
	}
	return nil, nil
}

// Take gives what was sent since the last call.
func (q *Queue) Take() []chunk.Message {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	taken := q.sent
	q.sent = nil
	return taken
}

// Numbers are the chunks and sends of what was sent since the last call: {chunk, send}.
func (q *Queue) Numbers() [][2]int64 {
	var numbers [][2]int64
	for _, message := range q.Take() {
		numbers = append(numbers, [2]int64{message.Chunk, message.Send})
	}
	return numbers
}

// Clock is moved by the test.
type Clock struct {
	mutex sync.Mutex
	now   time.Time
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

// Pass lets time go by.
func (c *Clock) Pass(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}
