package operator

import (
	"strings"
	"testing"
)

var conflictTranscripts = map[string]transcript{
	"conflicts":         {[]string{"conflicts", "email-1"}, answers("conflicts", someConflicts())},
	"conflicts-60":      {[]string{"conflicts", "email-1"}, on(60, answers("conflicts", someConflicts()))},
	"conflicts-more":    {[]string{"conflicts", "email-1", "--limit", "5", "--after", "6"}, answers("conflicts", aPage())},
	"conflicts-none":    {[]string{"conflicts", "email-1"}, answers("conflicts", noConflict())},
	"conflicts-end":     {[]string{"conflicts", "email-1", "--after", "1200"}, answers("conflicts", noConflict())},
	"conflicts-json":    {[]string{"conflicts", "email-1", "-o", "json"}, answers("conflicts", someConflicts())},
	"conflicts-unknown": {[]string{"conflicts", "email-1"}, answers("conflicts", unknownRun())},
	"usage-limit":       {[]string{"conflicts", "email-1", "--limit", "5000"}, nil},
	"help-conflicts":    {[]string{"conflicts", "--help"}, nil},
}

func TestConflictTranscripts(t *testing.T) { transcribe(t, conflictTranscripts) }

func text(value string) *string { return &value }

func someConflicts() map[string]any {
	conflict := func(chunk int64, key []string, holds, was []*string) map[string]any {
		return map[string]any{"chunk": chunk, "key": key, "holds": holds, "was": was, "found_at": noon}
	}
	long := text("changed by hand\n" + strings.Repeat("and so on ", 9))
	return map[string]any{"columns": []string{"email_normalized", "note"}, "conflicts": []any{
		conflict(1, []string{"7", "ann"}, []*string{text("ann@example.org"), nil}, []*string{nil, text("")}),
		conflict(3, []string{"12", "bob"}, []*string{text("bob@example.org"), long}, nil),
		conflict(12, []string{"1012", "gil"}, nil, []*string{text("gil@example.org"), text("new")}),
	}}
}

// aPage is full before the limit: rows are wide.
func aPage() map[string]any {
	page := someConflicts()
	page["next"] = 9
	return page
}

func noConflict() map[string]any {
	return map[string]any{"columns": []string{"email_normalized"}, "conflicts": []any{}}
}
