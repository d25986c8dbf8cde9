package planner_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/planner"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/rehearsal"
	"backfill/internal/review"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

const increment = "name: increment\ntable: counters\nset: {n: n + 1}\nchunk_rows: 100\n"

// bundle is a table of counters with the keys 10, 20, 30 .., and a planner over it.
type bundle struct {
	*runtest.Bench
	planner *planner.Planner
}

func setup(t *testing.T, rows int, lookAhead int64) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.New(t)}
	b.DB.Exec(t, fmt.Sprintf(`CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL);
		INSERT INTO counters SELECT 10 * g, g FROM generate_series(1, %d) g; ANALYZE counters`, rows))
	b.planner = b.another(t, b.DB.URL, lookAhead)
	return b
}

// another makes a planner with a connection of its own.
func (b *bundle) another(t *testing.T, url string, lookAhead int64) *planner.Planner {
	session := runtest.Session(t, url)
	entries := ledger.New(session, runtest.Terms)
	return &planner.Planner{
		Session: session, Ledger: entries, Records: b.Records, Dispatcher: b.Dispatcher,
		Rebuilder: rebuild.Rebuilder{Session: session, Ledger: entries, Records: b.Records},
		Reviewer:  review.Reviewer{Session: session, Inline: true}, LookAhead: lookAhead,
		Rehearser: rehearsal.Rehearser{Session: session, Ledger: entries, Reviewer: review.Reviewer{Session: session, Inline: true}},
	}
}

// start is the call that the state machine makes at the start of an execution, for a run of increment.
func start(id string) planner.Call { return startOf(id, increment) }

func startOf(id, definition string) planner.Call {
	request, err := json.Marshal(map[string]any{"action": "start", "definition": definition, "run": id})
	if err != nil {
		panic(err)
	}
	return planner.Call{Step: "begin", Request: request, Execution: runtest.Execution, Name: "the-execution"}
}

// begin starts the run of increment and demands that it goes on.
func (b *bundle) begin(t *testing.T) {
	t.Helper()
	got, err := b.planner.Handle(t.Context(), start(runtest.ID))
	must(t, err)
	if got.Run != runtest.ID || got.State != "RUNNING" || got.Next != turn.Beat {
		t.Fatalf("%+v", got)
	}
}

// plan is the call that the state machine makes between beats.
func (b *bundle) plan(t *testing.T) turn.Turn {
	t.Helper()
	got, err := b.planner.Handle(t.Context(), planner.Call{Step: "plan", Run: runtest.ID, Beat: 3, Budget: 400})
	must(t, err)
	if got.Run != runtest.ID || got.Beat != 3 || got.Budget != 400 {
		t.Fatalf("%+v", got)
	}
	return got
}

// claimed has workers claim what was sent since the last call.
func (b *bundle) claimed(t *testing.T) {
	t.Helper()
	for _, message := range b.Queue.Take() {
		claim, err := b.Ledger.Claim(t.Context(), message, "worker")
		must(t, err)
		if claim.Verdict != ledger.Claimed {
			t.Fatalf("chunk %d: %s", message.Chunk, claim.Verdict)
		}
	}
}

// planned are the chunks of a run in DynamoDB. They follow each other from the first key, without gap or overlap.
func (b *bundle) planned(t *testing.T, id string) []records.Checkpoint {
	t.Helper()
	var all []records.Checkpoint
	must(t, b.Records.EachChunk(t.Context(), id, func(some []records.Checkpoint) error {
		all = append(all, some...)
		return nil
	}))
	slices.SortFunc(all, func(a, b records.Checkpoint) int { return cmp.Compare(a.Chunk, b.Chunk) })
	var lo keyset.Point
	for i, c := range all {
		if c.Chunk != int64(i)+1 || !c.Range.Lo.Same(lo) || c.Range.Lo.Same(c.Range.Hi) {
			t.Fatalf("chunk %d of %s is %+v, after %v", i+1, id, c.Range, lo)
		}
		lo = c.Range.Hi
	}
	return all
}

// expectPlan demands that so many chunks are planned, up to that key, and that nothing but them was sent.
func (b *bundle) expectPlan(t *testing.T, id string, chunks int, last int64, sent []chunk.Message) {
	t.Helper()
	all := b.planned(t, id)
	if len(all) != chunks || chunks > 0 && all[chunks-1].Range.Hi[0] != strconv.FormatInt(last, 10) {
		t.Fatalf("%d chunks are planned, want %d up to %d: %+v", len(all), chunks, last, all)
	}
	arrived := map[int64]bool{}
	for _, m := range sent {
		planned := all[m.Chunk-1]
		if m.Run != id || m.Send != 1 || !m.Lo.Same(planned.Range.Lo) || !m.Hi.Same(planned.Range.Hi) {
			t.Fatalf("%+v was sent, planned is %+v", m, planned.Range)
		}
		arrived[m.Chunk] = true
	}
	if left, err := b.Records.Outbox(t.Context(), id); err != nil || len(left) > 0 || len(arrived) != chunks {
		t.Fatalf("%d of %d chunks were sent, in the outbox: %v, %v", len(arrived), chunks, left, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
