package poison_test

import (
	"math"
	"regexp"
	"testing"

	"backfill/internal/run"
	"backfill/internal/turn"
)

// expect demands how a run has ended.
func (b *bundle) expect(t *testing.T, got turn.Turn, state run.State) {
	t.Helper()
	status, err := b.Records.Status(t.Context(), got.Run)
	must(t, err)
	if got.Next != turn.End || got.State != state || status.State != state {
		t.Fatalf("%+v, recorded as %s (%s)", got, status.State, status.Reason)
	}
}

// expectSearches demands that no row took more than twice as many statements as its batch can be halved.
func (b *bundle) expectSearches(t *testing.T, id string, want int) {
	t.Helper()
	all := watched.of(id)
	var statements, most, keys int64
	for _, s := range all {
		statements, most, keys = statements+s.statements, max(most, s.statements), max(keys, s.keys)
		if bound := 2 * math.Log2(float64(s.keys)); float64(s.statements) > bound {
			t.Errorf("a row in a batch of %d took %d statements, want at most %.1f", s.keys, s.statements, bound)
		}
	}
	t.Logf("%d rows took %d statements, %.1f each and %d at most, in batches of up to %d keys: 2 log2 n is %.1f", len(all), statements,
		float64(statements)/float64(len(all)), most, keys, 2*math.Log2(float64(keys)))
	if len(all) != want {
		t.Errorf("%d rows were sought, want %d", len(all), want)
	}
}

func (b *bundle) expectPasses(t *testing.T, id, way string) {
	t.Helper()
	striped, reason := int64(0), ""
	must(t, b.Conn.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE passes > 1), max(passes_reason) FROM backfill.ledger WHERE run = $1", id).Scan(&striped, &reason))
	if striped > 0 != (way == "striped") {
		t.Fatalf("%d chunks were gone over in passes: %s", striped, reason)
	}
}

// expectWritten demands that every row is written once but for those that are rejected, and that all figures say so.
func (b *bundle) expectWritten(t *testing.T, id string, rejected int64) {
	t.Helper()
	wrong := b.Number(t, "SELECT count(*) FROM readings WHERE n <> id + CASE WHEN note LIKE '% %' THEN 0 ELSE 1 END AND id > 0")
	named := b.Number(t, "SELECT count(*) FROM backfill.rejects WHERE run = $1", id)
	status, err := b.Records.Status(t.Context(), id)
	must(t, err)
	if wrong > 0 || named != rejected || status.Rows.Rejected != rejected || status.Rows.Affected != b.rows-rejected || status.Rows.Scanned < b.rows {
		t.Fatalf("%d rows wrong, %d rejected, want %d; %+v", wrong, named, rejected, status.Rows)
	}
}

// expectErrors demands that so many rows that do not allow the change are named, each with the error of its kind.
func (b *bundle) expectErrors(t *testing.T, want int64) {
	t.Helper()
	right := int64(0)
	for _, kind := range kinds {
		right += b.Number(t, `SELECT count(*) FROM backfill.rejects JOIN readings r ON key = ARRAY[r.id::text]
			WHERE note LIKE $1 || ' %' AND sqlstate = $2 AND message <> ''`, kind.note, kind.sqlstate)
	}
	if right != want {
		t.Fatalf("%d rows are named with their errors, want %d", right, want)
	}
}

// spent is the reason of a chunk that met one row more than the budget has room for.
var spent = regexp.MustCompile(`chunk \d+ failed: .*SQLSTATE BF005: the error budget is 10 rows, and 10 are rejected; one more: 1 row within ("id" > \d+ AND )?"id" <?= (\d+): SQLSTATE 2`)

// expectStopped demands that ten rows are named, the reason names another, and no row is written twice.
func (b *bundle) expectStopped(t *testing.T, reason string) {
	t.Helper()
	found := spent.FindStringSubmatch(reason)
	if found == nil {
		t.Fatalf("reason: %s", reason)
	}
	if n := b.Number(t, "SELECT count(*) FROM readings WHERE id::text = $1 AND n = id AND note LIKE '% %' AND ARRAY[$1] NOT IN (SELECT key FROM backfill.rejects)", found[2]); n != 1 {
		t.Errorf("the reason names row %s", found[2])
	}
	b.expectErrors(t, 10)
	wrong := b.Number(t, "SELECT count(*) FROM readings WHERE id > 0 AND n <> id AND (n <> id + 1 OR note LIKE '% %')")
	written, counted := b.Number(t, "SELECT count(*) FROM readings WHERE id > 0 AND n <> id"), b.Number(t, "SELECT sum(affected)::bigint FROM backfill.ledger")
	if wrong > 0 || written != counted || written == b.rows-poisoned {
		t.Fatalf("%d rows wrong, %d written, %d counted", wrong, written, counted)
	}
}
