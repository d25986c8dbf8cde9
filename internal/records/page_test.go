package records_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/records"

	"github.com/google/go-cmp/cmp"
)

func page(after int64, ends ...string) records.Page {
	p := records.Page{Run: theRun, After: after}
	var lo keyset.Point
	if after > 0 {
		lo = keyset.Point{"before", ""}
	}
	for i, end := range ends {
		hi := keyset.Point{end, ""} // an empty string must survive
		p.Chunks = append(p.Chunks, chunk.Chunk{Run: theRun, Number: after + int64(i) + 1, Range: keyset.Range{Lo: lo, Hi: hi}})
		lo = hi
	}
	return p
}

func TestAPageIsCommittedOnceWhateverHappensToItsAnswer(t *testing.T) {
	b := setup(t)
	b.wire.lose.Store(true)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b")))
	must(t, b.CommitPage(t.Context(), page(0, "a", "b")))
	// Another planner cut at another moment: its last boundary may be the same, and yet rows would be done twice.
	for _, other := range []records.Page{page(0, "a", "c"), page(0, "z", "b"), page(0, "b"), page(0, "a", "ab", "b")} {
		if err := b.CommitPage(t.Context(), other); !errors.Is(err, records.ErrPlanMoved) || !failure.Is(err, failure.Transient) {
			t.Fatalf("another page in its place: %v", err)
		}
	}
	must(t, b.CommitPage(t.Context(), page(2, "c")))
	record, err := b.Run(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff(records.Plan{Planned: 3, Cursor: keyset.Point{"c", ""}}, record.Plan); diff != "" {
		t.Fatal(diff)
	}
	outbox, err := b.Outbox(t.Context(), theRun)
	must(t, err)
	want := []records.Left{{Run: theRun, After: 0, Chunks: []int64{1, 2}}, {Run: theRun, After: 2, Chunks: []int64{3}}}
	if diff := cmp.Diff(want, outbox); diff != "" {
		t.Fatal(diff)
	}
}

// TestAPageOfARunThatGoesDown moves the plan to its lower end, and to none where that is the first key. It is committed once.
func TestAPageOfARunThatGoesDown(t *testing.T) {
	b := setup(t)
	down := func(after int64, closed bool, los ...keyset.Point) records.Page {
		p := records.Page{Run: theRun, After: after, Order: keyset.Descending, Closed: closed}
		hi := keyset.Point{"z", ""}
		for i, lo := range los {
			p.Chunks = append(p.Chunks, chunk.Chunk{Run: theRun, Number: after + int64(i) + 1, Range: keyset.Range{Lo: lo, Hi: hi}})
			hi = lo
		}
		return p
	}
	for _, c := range []struct {
		page records.Page
		want records.Plan
	}{{down(0, false, keyset.Point{"n", ""}, keyset.Point{"m", ""}), records.Plan{Planned: 2, Cursor: keyset.Point{"m", ""}}}, {down(2, true, keyset.Point{"k", ""}, nil), records.Plan{Planned: 4, Closed: true}}} {
		for range 2 {
			must(t, b.CommitPage(t.Context(), c.page))
			record, err := b.Run(t.Context(), theRun)
			must(t, err)
			if diff := cmp.Diff(c.want, record.Plan); diff != "" {
				t.Fatal(diff)
			}
		}
	}
}

func TestAPageOfTheLargestSizeFits(t *testing.T) {
	b := setup(t)
	ends := make([]string, records.MaxPage)
	for i := range ends {
		ends[i] = strings.Repeat("k", 500) + string(rune('a'+i%26))
	}
	must(t, b.CommitPage(t.Context(), page(0, ends...)))
	seen := map[int64]bool{}
	must(t, b.EachChunk(t.Context(), theRun, func(all []records.Checkpoint) error {
		for _, c := range all {
			seen[c.Chunk] = true
		}
		return nil
	}))
	if len(seen) != records.MaxPage {
		t.Fatalf("%d chunks of %d were visited", len(seen), records.MaxPage)
	}
	if err := b.CommitPage(t.Context(), page(98, append(ends, "more")...)); !failure.Is(err, failure.Permanent) {
		t.Fatalf("a page that is too large: %v", err)
	}
}

// TestASmallPlanIsReadInFewQueries: as many as there are shards with a chunk.
func TestASmallPlanIsReadInFewQueries(t *testing.T) {
	for planned, want := range map[int]int{1: 1, 3: 3, 16: 16, 17: 16} {
		b := setup(t)
		ends := make([]string, planned)
		for i := range ends {
			ends[i] = "k" + string(rune('a'+i))
		}
		must(t, b.CommitPage(t.Context(), page(0, ends...)))
		if seen, queries := b.visit(t); seen != planned || queries != want {
			t.Errorf("%d chunks of %d were visited in %d queries, want %d", seen, planned, queries, want)
		}
	}
}

// TestChunksWithoutAPlanAreVisited: of a record that was lost, or made again without its plan. A worker's checkpoint has made the copy.
func TestChunksWithoutAPlanAreVisited(t *testing.T) {
	b := setup(t)
	for _, id := range []string{theRun, "lost"} {
		must(t, b.Checkpoint(t.Context(), records.Checkpoint{Run: id, Chunk: 12, State: chunk.Completed, Fence: 1, Range: keyset.Range{Hi: keyset.Point{"k"}}}))
		seen := 0
		must(t, b.EachChunk(t.Context(), id, func(all []records.Checkpoint) error {
			seen += len(all)
			return nil
		}))
		if seen != 1 {
			t.Errorf("run %s: %d chunks", id, seen)
		}
	}
}

// visit counts the chunks that are visited, and the queries for it.
func (b *bundle) visit(t *testing.T) (seen, queries int) {
	t.Helper()
	b.wire.answered = func(operation string, _ *http.Response) {
		if operation == "Query" {
			queries++
		}
	}
	must(t, b.EachChunk(t.Context(), theRun, func(all []records.Checkpoint) error {
		seen += len(all)
		return nil
	}))
	return seen, queries
}

func TestAnEmptyPageClosesThePlan(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), records.Page{Run: theRun, Closed: true}))
	record, err := b.Run(t.Context(), theRun)
	must(t, err)
	if !record.Plan.Closed || record.Plan.Planned != 0 {
		t.Fatalf("%+v", record.Plan)
	}
	if err := b.CommitPage(t.Context(), page(0, "a")); !errors.Is(err, records.ErrPlanMoved) {
		t.Fatalf("a page after the end of the plan: %v", err)
	}
}

func TestTheOutboxKeepsWhatWasNotAccepted(t *testing.T) {
	b := setup(t)
	must(t, b.CommitPage(t.Context(), page(0, "a", "b", "c")))
	must(t, b.SettleOutbox(t.Context(), theRun, 0, []int64{2}))
	outbox, err := b.Outbox(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff([]records.Left{{Run: theRun, Chunks: []int64{2}}}, outbox); diff != "" {
		t.Fatal(diff)
	}
	must(t, b.SettleOutbox(t.Context(), theRun, 0, nil))
	if outbox, err = b.Outbox(t.Context(), theRun); err != nil || len(outbox) != 0 {
		t.Fatalf("%v, %v", outbox, err)
	}
}
