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
	"conflicts-deleted": {[]string{"conflicts", "purge-1"}, answers("conflicts", notPutBack())},
	"conflicts-copied":  {[]string{"conflicts", "copy-1"}, answers("conflicts", notTakenBack())},
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

// notPutBack are rows that a run deleted: the key of one is taken again, and the parent of another is gone.
func notPutBack() map[string]any {
	return map[string]any{"columns": []string{"user_id", "note"}, "conflicts": []any{
		map[string]any{"chunk": 1, "key": []string{"7"}, "holds": []*string{text("8"), nil}, "was": []*string{text("9"), text("old")},
			"why": "another row has its key, or a value that has to be unique; or a trigger kept it out"},
		map[string]any{"chunk": 1, "key": []string{"8"}, "holds": nil, "was": []*string{text("12"), nil},
			"why": `SQLSTATE 23503 (foreign_key_violation): insert or update on table "sessions" violates foreign key constraint "sessions_user_id_fkey"`},
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

// notTakenBack are rows that a copy inserted, of which users changed one, deleted one and refer to one, and one that it updated.
func notTakenBack() map[string]any {
	conflict := func(key string, holds, was []*string, why string) map[string]any {
		return map[string]any{"chunk": 1, "key": []string{key}, "holds": holds, "was": was, "found_at": noon, "why": why}
	}
	return map[string]any{"columns": []string{"total_cents", "note"}, "conflicts": []any{
		conflict("7", []*string{text("800"), nil}, []*string{}, ""), conflict("8", nil, []*string{}, ""),
		conflict("9", []*string{text("900"), text("new")}, []*string{}, "SQLSTATE 23503 (foreign_key_violation): update or delete on table \"orders_2\" violates foreign key constraint"),
		conflict("10", []*string{text("5"), nil}, []*string{text("3"), nil}, ""),
	}}
}
