package ledger_test

import (
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// TestAResumeThatAPauseOvertakes is told what is going on, and what to do when: the command that was just given helps once the run is PAUSED.
func TestAResumeThatAPauseOvertakes(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	claim := b.claim(t, message(1, "", "100", 1), "me", ledger.Claimed)
	b.pause(t, true)
	refused := func(words ...string) {
		t.Helper()
		_, err := b.ledger.Revive(t.Context(), theRun, "arn:2")
		if !failure.Is(err, failure.Invalid) {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q is not in %q", word, err)
			}
		}
	}
	refused("run run-1 is PAUSING: it was being paused", "wait until `backfill watch run-1` shows PAUSED, then `backfill resume run-1` lets it go on")
	_, err := b.ledger.Release(t.Context(), claim, 0, "run is PAUSING")
	must(t, err)
	b.rests(t, run.Paused)
	refused("run run-1 is PAUSED: ", "`backfill resume run-1` lets it go on now")
}
