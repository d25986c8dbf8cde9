package queue_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/queuetest"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestBatchesAreWithinTheLimits: SQS refuses a batch of more than 10 messages or of more than 1 MiB.
func TestBatchesAreWithinTheLimits(t *testing.T) {
	t.Parallel()
	many := func(n, size int) []int { return slices.Repeat([]int{size}, n) }
	empty, err := json.Marshal(messages(0)[0])
	must(t, err)
	rest := len(empty) // of a message, around its key
	for name, c := range map[string]struct{ sizes, want []int }{
		"none":                      {nil, nil},
		"one":                       {many(1, 10), []int{1}},
		"as many as a batch takes":  {many(10, 10), []int{10}},
		"one more":                  {many(11, 10), []int{10, 1}},
		"two batches and a half":    {many(25, 10), []int{10, 10, 5}},
		"as large as a batch takes": {many(2, 500_000-rest), []int{2}},
		"a byte more":               {[]int{500_000 - rest, 500_001 - rest}, []int{1, 1}},
		"ten of which eight fit":    {many(10, 120_000), []int{8, 2}},
		"one that fills a batch":    {[]int{10, 1_000_000 - rest, 10}, []int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			sent := messages(c.sizes...)
			unsent, err := b.Send(t.Context(), sent)
			must(t, err)
			if !slices.Equal(b.wire.Sizes, c.want) || len(unsent) > 0 {
				t.Errorf("batches of %v, want %v; unsent: %v", b.wire.Sizes, c.want, unsent)
			}
			b.expect(t, sent)
		})
	}
}

// TestAMessageThatNeverFitsIsNotTriedForEver: those before it are sent, and the reason names the chunk.
func TestAMessageThatNeverFitsIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := messages(10, 10, 1_100_000, 10)
	unsent, err := b.Send(t.Context(), sent)
	if !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), "chunk 3 of run run-1") {
		t.Errorf("got %v (%s)", err, failure.Of(err))
	}
	b.expectUnsent(t, unsent, 3, 4)
	b.expect(t, sent[:2])
}

func TestWhatSQSDoesNotAcceptIsUnsent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*queuetest.Answer){
		"failed":                   func(a *queuetest.Answer) { a.Fail("1", "3") },
		"neither accepted nor not": func(a *queuetest.Answer) { a.Fail("1", "3"); a.Failed = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.wire.Change = change
			unsent, err := b.Send(t.Context(), messages(slices.Repeat([]int{10}, 12)...))
			must(t, err)
			b.expectUnsent(t, unsent, 2, 4, 12) // entry 1 of the second batch is chunk 12
		})
	}
}

// TestAnErrorLeavesWhatWasSentBefore: the first batch has arrived, the second is refused, the third is not tried.
func TestAnErrorLeavesWhatWasSentBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.wire.Refuse = 2
	b.wire.Change = func(a *queuetest.Answer) { a.Fail("4") }
	sent := messages(slices.Repeat([]int{10}, 21)...)
	unsent, err := b.Send(t.Context(), sent)
	if !failure.Is(err, failure.Transient) || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v (%s)", err, failure.Of(err))
	}
	b.expectUnsent(t, unsent, 5, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	if !slices.Equal(b.wire.Sizes, []int{10, 10}) {
		t.Errorf("batches of %v", b.wire.Sizes)
	}
	b.expect(t, sent[:10])
}

// TestAnAnswerForAnUnknownEntryCountsForNothing: an entry that is not named as accepted is unsent.
func TestAnAnswerForAnUnknownEntryCountsForNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"3", "-1", "x", "00", ""} {
		for _, list := range []string{"failed", "accepted"} {
			t.Run(fmt.Sprintf("%s %q", list, id), func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				b.wire.Change = func(a *queuetest.Answer) {
					if a.Successful[0]["Id"] = id; list == "failed" {
						a.Fail(id)
					}
				}
				unsent, err := b.Send(t.Context(), messages(10, 10, 10))
				must(t, err)
				b.expectUnsent(t, unsent, 1)
			})
		}
	}
}

// TestKeysArriveAsTheyWere: a key that changed on the way would leave a gap, or make an overlap. SQS refuses, or
// replaces, what XML cannot hold.
func TestKeysArriveAsTheyWere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	keys := keyset.Point{"9223372036854775807", "-9007199254740993", "", `"'\`, "</script>&", "\t\r\n\x01\x1f\x7f\u0085",
		"\ufffe\uffff", "\u2028", "Ünïcode 😀 \U0010ffff", "2024-03-31 00:30:00.000001+00", `\x00ff`, `\uffff`}
	sent := []chunk.Message{{Run: "run-1", Chunk: 1 << 53, Lo: keys, Hi: keys, Send: 1<<53 + 1}, {Run: "run-1", Chunk: 1<<53 + 1, Hi: keys, Send: 1}}
	for i, key := range keys {
		sent = append(sent, chunk.Message{Run: "run-1", Chunk: int64(i), Hi: keyset.Point{key}, Send: 1})
	}
	unsent, err := b.Send(t.Context(), sent)
	must(t, err)
	b.expectUnsent(t, unsent)
	b.expect(t, sent)
}

func TestAnyKeyArrives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(r *rapid.T) {
		keys := rapid.SliceOfN(rapid.String(), 1, 12).Draw(r, "keys")
		sent := make([]chunk.Message, len(keys))
		for i, key := range keys {
			sent[i] = chunk.Message{Run: "run-1", Chunk: int64(i) + 1, Lo: keyset.Point{key, key}, Hi: keyset.Point{key, ""}, Send: 1}
		}
		if unsent, err := b.Send(t.Context(), sent); err != nil || len(unsent) > 0 {
			r.Fatalf("unsent: %v, %v", unsent, err)
		}
		if difference := diff.Diff(sent, sorted(b.behind.Drain(t, len(sent)))); difference != "" {
			r.Fatal(difference)
		}
	})
}

// expect drains the queue: it holds these messages and no other.
func (b *bundle) expect(t *testing.T, want []chunk.Message) {
	t.Helper()
	if difference := diff.Diff(sorted(want), sorted(b.behind.Drain(t, len(want)))); difference != "" {
		t.Error(difference)
	}
}

func (b *bundle) expectUnsent(t *testing.T, got []int64, want ...int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("unsent: %v, want %v", got, want)
	}
}

// sorted orders by chunk: a standard queue has no order.
func sorted(messages []chunk.Message) []chunk.Message {
	return slices.SortedFunc(slices.Values(messages), func(a, b chunk.Message) int { return cmp.Compare(a.Chunk, b.Chunk) })
}
