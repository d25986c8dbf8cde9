package planner_test

import (
	"encoding/json"
	"slices"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/planner"
	"backfill/internal/records"
	"backfill/internal/runtest"
)

func canaryCall(t *testing.T) planner.Call {
	t.Helper()
	request, err := json.Marshal(map[string]any{"action": "start", "definition": increment, "run": runtest.ID, "canary": "20%"})
	must(t, err)
	return planner.Call{Step: "begin", Request: request, Execution: runtest.Execution, Name: "the-execution"}
}

func numbers(messages []chunk.Message) (all []int64) {
	for _, m := range messages {
		all = append(all, m.Chunk)
	}
	slices.Sort(all)
	return all
}

// TestAPlanIsCutAndOnlyTheCanaryIsSent: the others are in the ledger by then, with their keys. A start that is repeated changes nothing.
func TestAPlanIsCutAndOnlyTheCanaryIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t, 1990, 100)
	for range 2 {
		_, err := b.planner.Handle(t.Context(), canaryCall(t))
		must(t, err)
	}
	if got := numbers(b.Queue.Take()); !slices.Equal(got, []int64{1, 6, 11, 16}) {
		t.Errorf("%v were sent", got)
	}
	if plan := b.Record(t).Plan; !plan.Closed || plan.Planned != 20 {
		t.Errorf("%+v", plan)
	}
	if held, keys := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE held AND state = 'PENDING'"), b.Number(t, "SELECT sum(counted) FROM backfill.ledger"); held != 16 || keys != 1590 {
		t.Errorf("%d chunks are held, with %d keys", held, keys)
	}
}

// TestAPageThatWasLeftBehindIsNotBegun: the planner died when the page was committed, so all of it is sent. Workers begin with the canary, and have the others held.
func TestAPageThatWasLeftBehindIsNotBegun(t *testing.T) {
	t.Parallel()
	b := setup(t, 500, 100)
	_, err := b.planner.Handle(t.Context(), canaryCall(t))
	must(t, err)
	b.Queue.Take()
	b.Exec(t, "DELETE FROM backfill.ledger")
	var page records.Page
	for _, c := range b.planned(t, runtest.ID) {
		page.Chunks = append(page.Chunks, chunk.Chunk{Run: runtest.ID, Number: c.Chunk, Range: c.Range})
	}
	var begun, held []int64
	for _, c := range page.Chunks {
		for range 2 { // a message may come twice
			claim, err := b.Ledger.Claim(t.Context(), c.Message(1), "worker")
			must(t, err)
			switch claim.Verdict {
			case ledger.Claimed:
				begun = append(begun, c.Number)
			case ledger.Held:
				held = append(held, c.Number)
			default:
				t.Errorf("chunk %d: %s", c.Number, claim.Verdict)
			}
		}
	}
	if !slices.Equal(begun, []int64{1, 1}) || !slices.Equal(held, []int64{2, 2, 3, 3, 4, 4, 5, 5}) {
		t.Errorf("%v are begun, %v are held", begun, held)
	}
}
