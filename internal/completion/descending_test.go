package completion_test

import (
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// turned makes the finished run one that went down: chunk 1 is the top one.
func turned(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.Exec(t, "UPDATE backfill.runs SET top = bound, bound = '{}', change = (change::jsonb || '{\"order\": \"descending\"}')::json")
	b.Exec(t, "UPDATE backfill.ledger SET chunk = 14 - chunk")
	b.Exec(t, "UPDATE backfill.ledger SET chunk = chunk - 10")
	return b
}

// TestARunThatGoesDownIsNotCompleteUnlessItsRangesTileTheKeySpace: each way in which they do not. Whole, it is complete.
func TestARunThatGoesDownIsNotCompleteUnlessItsRangesTileTheKeySpace(t *testing.T) {
	t.Parallel()
	b := turned(t)
	b.Exec(t, "CREATE TABLE intact AS TABLE backfill.ledger")
	const all = 3
	for name, c := range map[string]struct {
		damage  string
		planned int64
	}{
		"the top is missing":             {"DELETE FROM backfill.ledger WHERE chunk = 1", all},
		"one is missing":                 {"DELETE FROM backfill.ledger WHERE chunk = 2", all},
		"one is missing, and not missed": {"DELETE FROM backfill.ledger WHERE chunk = 2", 2},
		"the bottom is missing":          {"DELETE FROM backfill.ledger WHERE chunk = 3", 2},
		"the numbers do not begin at 1":  {"UPDATE backfill.ledger SET chunk = chunk + 10", all},
		"all are missing":                {"DELETE FROM backfill.ledger", 0},
		"one overlaps the one before":    {"UPDATE backfill.ledger SET hi = '{201}', position = '{201}' WHERE chunk = 2", all},
		"one begins too low":             {"UPDATE backfill.ledger SET hi = '{199}', position = '{199}' WHERE chunk = 2", all},
		"the top is not the bound":       {"UPDATE backfill.ledger SET hi = '{299}', position = '{299}' WHERE chunk = 1", all},
		"the first key is not reached":   {"UPDATE backfill.ledger SET lo = '{1}' WHERE chunk = 3", all},
		"one goes to the first key":      {"UPDATE backfill.ledger SET lo = NULL WHERE chunk = 2", all},
		"one was given back":             {"UPDATE backfill.ledger SET state = 'PENDING' WHERE chunk = 2", all},
		"one stopped short of its end":   {"UPDATE backfill.ledger SET position = '{99}' WHERE chunk = 3", all},
		"one never began":                {"UPDATE backfill.ledger SET position = NULL WHERE chunk = 1", all},
		"the bound is higher":            {"UPDATE backfill.runs SET top = '{400}'", all},
		"it was planned upwards":         {"UPDATE backfill.ledger SET chunk = 14 - chunk; UPDATE backfill.ledger SET chunk = chunk - 10", all},
		"it goes up":                     {"UPDATE backfill.runs SET bound = top, top = NULL", all},
		"more are planned":               {"SELECT", all + 1},
		"nothing":                        {"SELECT", all},
	} {
		t.Run(name, func(t *testing.T) {
			b.Exec(t, "TRUNCATE backfill.ledger")
			b.Exec(t, "INSERT INTO backfill.ledger SELECT * FROM intact")
			b.Exec(t, "UPDATE backfill.runs SET top = '{300}', bound = '{}'")
			for _, statement := range strings.Split(c.damage, "; ") {
				b.Exec(t, statement)
			}
			if name == "nothing" {
				tiling, err := b.Ledger.Tiling(t.Context(), runtest.ID)
				must(t, err)
				if !tiling.Complete(all) {
					t.Fatalf("%+v", tiling)
				}
				return
			}
			complete, err := b.completer.Complete(t.Context(), runtest.ID, c.planned)
			if complete || !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), "tile") {
				t.Fatalf("complete: %v, %v", complete, err)
			}
			b.Expect(t, run.Running, "")
		})
	}
}
