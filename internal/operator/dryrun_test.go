package operator

import (
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/prospect"
)

// dryRuns are what people see of a dry run.
var dryRuns = map[string]transcript{
	"dry-run":         {[]string{"start", "-f", "users.yaml", "--dry-run"}, answers("dry_run", foreseen())},
	"dry-run-80":      {[]string{"start", "-f", "users.yaml", "--dry-run"}, on(80, answers("dry_run", foreseen()))},
	"dry-run-json":    {[]string{"start", "users-country", "--dry-run", "-o", "json"}, answers("dry_run", foreseen())},
	"dry-run-delete":  {[]string{"start", "users-country", "--dry-run"}, answers("dry_run", foreseenPurge())},
	"dry-run-order":   {[]string{"start", "users-country", "--dry-run"}, answers("dry_run", downwards())},
	"dry-run-way":     {[]string{"start", "users-country", "--dry-run", "--sample", "0"}, answers("dry_run", obstructed())},
	"dry-run-refused": {[]string{"start", "-f", "users.yaml", "--dry-run"}, answers("dry_run", classed("Backfill.Invalid", "2 problems:\n1:7: name: it is wrong; change it\n3:7: set.country: public.users has no such column"))},
	"dry-run-cut":     {[]string{"start", "users-country", "--dry-run"}, on(100, answers("dry_run", long()))},
	"dry-run-wait":    {[]string{"start", "users-country", "--dry-run", "--wait"}, nil},
	"dry-run-sample":  {[]string{"start", "users-country", "--sample", "3"}, nil},
}

func TestDryRuns(t *testing.T) { transcribe(t, dryRuns) }

// TestWhoAsksForADryRun: values of rows, and the SQL of a file, need the right to act; and no execution is ever started.
func TestWhoAsksForADryRun(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"start users-country --dry-run":            `act {"action":"dry_run","backfill":"users-country","sample":8}`,
		"start users-country --dry-run --sample 3": `act {"action":"dry_run","backfill":"users-country","sample":3}`,
		"start users-country --dry-run --sample 0": `look {"action":"dry_run","backfill":"users-country"}`,
		"start -f - --dry-run --sample 0":          `act {"action":"dry_run","definition":"name: a"}`,
	} {
		b := setup(t)
		b.In = strings.NewReader("name: a")
		b.control.answers["dry_run"] = []any{foreseen()}
		if code := b.run(t, strings.Fields(line)...); code != 0 || strings.Join(b.control.asked, "") != want || len(b.executions.started) > 0 {
			t.Errorf("%s: exit code %d, asked %v, started %v", line, code, b.control.asked, b.executions.started)
		}
	}
}

func foreseen() prospect.Prospect {
	c := change.Change{Kind: change.Set, Table: change.Table{Schema: "public", Name: "users"}, Where: "country IS NOT NULL",
		Set: []change.Assignment{{Column: "country", Type: "text", Base: "text", Expression: "upper(country)"}}}
	e := prospect.Extent{Rows: 12_345_678, Chunks: 124, Skips: "no index answers where at a small part of the cost: every chunk is read"}
	e.Reckon([]prospect.Stretch{{Rows: 5000, InScope: 4000, ToWrite: 3900}, {Rows: 5000, InScope: 4500, ToWrite: 4200}}, false)
	return prospect.Prospect{
		Backfill: "users-country", Change: c, Notes: []string{"trigger audit fires for each row that is written"},
		Locks: []string{"ROW EXCLUSIVE on public.users for the time of a batch"}, Passes: "striped: 16 passes, so that updates can be HOT",
		Plan: prospect.Plan{Of: `"id" > 100 AND "id" <= 1100`, Verdict: "no scan of a whole table or index",
			Lines: []string{"Update on users  (cost=0.29..50.54 rows=500 width=38)", "  ->  Index Scan using users_pkey on users"}},
		Prepared: 3, Extent: e, Estimate: e.Estimate(c, prospect.Relation{RowBytes: 290, Indexes: 3}, true),
		Statements: []prospect.Statement{{Purpose: "the change of a batch by itself", SQL: "UPDATE users SET country = (upper(country))\nWHERE id > $1"},
			{Purpose: "the ledger takes the batch, or refuses it", SQL: "SELECT backfill.advance($1)"}},
		Sample: []prospect.Row{
			{Key: []string{"7"}, Before: []*string{text("de")}, After: []*string{text("DE")}},
			{Key: []string{"7007"}, Before: []*string{text("NL")}, After: []*string{text("NL")}, Same: true},
			{Key: []string{"9007"}, Before: []*string{text("fr\x1b[2J")}, After: []*string{nil}, Error: "column country takes no NULL: the row would fail"},
		},
		Unknown: []string{"rows in scope within \"id\" > 5: SQLSTATE 57014 (query_canceled)"},
	}
}

func foreseenPurge() prospect.Prospect {
	found := foreseen()
	found.Change = change.Change{Kind: change.Delete, Table: found.Change.Table, Where: "seen < now()",
		Row: []change.Column{{Name: "country"}, {Name: "seen"}}}
	found.Extent = prospect.Extent{Rows: 3, Chunks: 1, Counted: true}
	found.Extent.Reckon([]prospect.Stretch{{Rows: 3, InScope: 1, ToWrite: 1}}, true)
	found.Estimate = found.Extent.Estimate(found.Change, prospect.Relation{RowBytes: 100}, false)
	found.Sample, found.Unknown = []prospect.Row{{Key: []string{"7"}, Before: []*string{text("de"), nil}}}, nil
	return found
}

func downwards() prospect.Prospect {
	found := foreseenPurge()
	found.Change.Order, found.Change.Key = keyset.Descending, []keyset.Column{{Name: "tenant_id", Type: "bigint"}, {Name: "id", Type: "bigint"}}
	return found
}

func obstructed() prospect.Prospect {
	found := foreseen()
	found.InTheWay, found.Sample = []string{"run email-0 holds table public.users until it ends"}, nil
	found.Extent.InScope, found.Extent.ToWrite, found.Estimate = nil, nil, nil
	return found
}

// long is of a row with a value that is longer than what is shown.
func long() prospect.Prospect {
	found := foreseenPurge()
	found.Sample = []prospect.Row{{Key: []string{"7"}, Before: []*string{text("de"), text(strings.Repeat("ä", 200))}, Cut: true}}
	return found
}

// TestAValueThatGoesOnIsMarked, where there is no terminal that cuts it again.
func TestAValueThatGoesOnIsMarked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.control.answers["dry_run"] = []any{long()}
	if code := b.run(t, "start", "users-country", "--dry-run"); code != 0 || !strings.Contains(b.out.String(), "ä…") || strings.Contains(b.out.String(), "de…") {
		t.Errorf("exit code %d: %s", code, &b.out)
	}
}
