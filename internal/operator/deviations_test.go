package operator

import "testing"

// rowsThatDeviate is the answer of a run in three chunks of which rows deviate.
func rowsThatDeviate(sql string) map[string]any {
	chunk := func(n, deviating, mended, rejected int64, crowded bool) map[string]any {
		return map[string]any{"chunk": n, "lo": nil, "hi": []string{"200"}, "keys": `"id" > 100 AND "id" <= 200`, "deviating": deviating, "mended": mended, "rejected": rejected, "crowded": crowded, "sql": sql}
	}
	return map[string]any{"run": "email-1", "looked": 10, "deviating": 1210, "mended": 7,
		"chunks": []any{chunk(2, 1, 0, 0, false), chunk(4, 1209, 7, 2, false), chunk(7, 150, 0, 0, true)}, "next": 7}
}

const aScript = "BEGIN READ ONLY;\nSELECT \"id\" FROM \"public\".\"users\"\n\tWHERE email = 'a';\nROLLBACK;\n"

func noneDeviates(deviating, mended int64) map[string]any {
	return map[string]any{"run": "email-1", "looked": 10, "deviating": deviating, "mended": mended, "chunks": []any{}}
}

func incomparable(left string) map[string]any {
	return map[string]any{"run": "email-1", "unfit": "its rows are gone from the table", "keys": `"id" <= 900`, "left": left, "chunks": []any{}}
}

func neverLookedAt() func(*bundle) {
	return func(b *bundle) {
		answers("status", reversible())(b)
		answers("deviations", classed("Backfill.Invalid", "no row of run email-1 was looked at since it was done: `backfill verify email-1 --no-write` counts first"))(b)
	}
}

var deviationTranscripts = map[string]transcript{
	"deviations":         {[]string{"deviations", "email-1", "--limit", "3", "--region", "eu-west-1"}, answers("deviations", rowsThatDeviate(aScript))},
	"deviations-json":    {[]string{"deviations", "email-1", "-o", "json"}, answers("deviations", noneDeviates(0, 0))},
	"deviations-none":    {[]string{"deviations", "email-1"}, answers("deviations", noneDeviates(0, 0))},
	"deviations-mended":  {[]string{"deviations", "email-1"}, answers("deviations", noneDeviates(1210, 1210))},
	"deviations-end":     {[]string{"deviations", "email-1", "--after", "7"}, answers("deviations", noneDeviates(1210, 7))},
	"deviations-left":    {[]string{"deviations", "email-1"}, answers("deviations", incomparable(aScript))},
	"deviations-unfit":   {[]string{"deviations", "email-1"}, answers("deviations", incomparable(""))},
	"deviations-hostile": {[]string{"deviations", "email-1"}, answers("deviations", rowsThatDeviate("BEGIN READ ONLY;\nSELECT '\x1b[2J\u202e';\n"))},
	"deviations-early":   {[]string{"deviations", "email-1"}, neverLookedAt()},
	"help-deviations":    {[]string{"deviations", "--help"}, nil},
	"status-deviates":    {[]string{"status", "email-1"}, answers("status", certifiedRun(false))},
}

func TestDeviationTranscripts(t *testing.T) { transcribe(t, deviationTranscripts) }
