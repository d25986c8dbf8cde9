package queue_test

import (
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/queue"
	"backfill/internal/queuetest"
)

// bundle is a queue of the test's own behind a wire.
type bundle struct {
	*queue.Queue
	behind queuetest.Queue
	wire   *queuetest.Wire
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{wire: &queuetest.Wire{}}
	b.behind = queuetest.New(t, b.wire)
	b.Queue = queue.New(b.behind.Client, b.behind.URL)
	return b
}

// messages makes one for each size of its key, in bytes.
func messages(sizes ...int) []chunk.Message {
	all := make([]chunk.Message, len(sizes))
	for i, size := range sizes {
		all[i] = chunk.Message{Run: "run-1", Chunk: int64(i) + 1, Hi: keyset.Point{strings.Repeat("k", size)}, Send: 1}
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
