package operator

import (
	"strconv"
	"testing"
	"time"
)

var chunkTranscripts = map[string]transcript{
	"chunks":             {[]string{"chunks", "email-1"}, answers("chunks", someChunks(0))},
	"chunks-waiting":     {[]string{"chunks", "email-1"}, answers("chunks", waitingChunks())},
	"chunks-80":          {[]string{"chunks", "email-1"}, on(80, answers("chunks", someChunks(0)))},
	"chunks-skipped":     {[]string{"chunks", "email-1"}, answers("chunks", skippedChunks())},
	"chunks-more":        {[]string{"chunks", "email-1", "--state", "failed", "--limit", "5"}, answers("chunks", someChunks(7))},
	"chunks-none":        {[]string{"chunks", "email-1"}, answers("chunks", noChunks())},
	"chunks-end":         {[]string{"chunks", "email-1", "--state", "rolled_back", "--after", "12"}, answers("chunks", noChunks())},
	"chunks-json":        {[]string{"chunks", "email-1", "-o", "json"}, answers("chunks", someChunks(0))},
	"chunks-unknown":     {[]string{"chunks", "email-1"}, answers("chunks", unknownRun())},
	"usage-chunks-state": {[]string{"chunks", "email-1", "--state", "lost"}, nil},
	"usage-chunks-limit": {[]string{"chunks", "email-1", "--limit", "0"}, nil},
	"usage-chunks-after": {[]string{"chunks", "email-1", "--after", "-1"}, nil},
	"help-chunks":        {[]string{"chunks", "--help"}, nil},
}

func TestChunkTranscripts(t *testing.T) { transcribe(t, chunkTranscripts) }

// someChunks are one that is done, one that failed, one that is worked on, and two that no worker has claimed: of the last
// nobody knows the keys.
func someChunks(next int64) map[string]any {
	chunk := func(number int64, state string, lo, hi []string, more map[string]any) map[string]any {
		all := map[string]any{"chunk": number, "state": state, "lo": lo, "hi": hi, "scanned": 0, "affected": 0, "restored": 0, "conflicts": 0,
			"fence": 0, "retries": 0, "passes": 0, "reason": "", "updated_at": nil}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	page := map[string]any{"chunks": []any{
		chunk(1, "COMPLETED", nil, []string{"100000"}, map[string]any{"scanned": 100_000, "affected": 98_000, "restored": 3, "conflicts": 1, "fence": 1,
			"passes": 16, "updated_at": noon.Add(-11e9)}),
		chunk(2, "FAILED", []string{"100000"}, []string{"200000"}, map[string]any{"scanned": 899, "affected": 890, "fence": 3, "retries": 2, "passes": 1,
			"updated_at": noon.Add(-90e9),
			"reason":     "apply batch 7 of chunk 2 of run email-1: 1 row within \"id\" > 100899 AND \"id\" <= 100900: SQLSTATE 22P02 (invalid_text_representation)\u202e"}),
		chunk(7, "PROCESSING", []string{"200000"}, []string{"300000"}, map[string]any{"fence": 1, "updated_at": noon}),
		chunk(11, "PENDING", []string{"300000"}, []string{"400000"}, nil),
		chunk(12, "PENDING", nil, nil, nil),
	}}
	if next > 0 {
		page["next"] = next
	}
	return page
}

// skippedChunks are some that were done when they were planned, on both sides of one that waits.
func skippedChunks() map[string]any {
	var all []any
	for n := 1; n <= 5; n++ {
		c := map[string]any{"chunk": n, "state": "COMPLETED", "hi": []string{strconv.Itoa(n * 100_000)}, "scanned": 100_000,
			"reason": "no row matched where when it was planned", "updated_at": noon}
		if n == 3 {
			c = map[string]any{"chunk": n, "state": "PENDING", "hi": []string{"300000"}}
		}
		all = append(all, c)
	}
	return map[string]any{"chunks": all}
}

// waitingChunks are some that back off, two of them from the same second on, and one with rejected rows.
func waitingChunks() map[string]any {
	chunk := func(n int, state, reason string, until time.Duration, rejected int) map[string]any {
		c := map[string]any{"chunk": n, "state": state, "hi": []string{strconv.Itoa(n * 100_000)}, "reason": reason, "updated_at": noon, "rejected": rejected}
		if until > 0 {
			c["not_before"] = noon.Add(until)
		}
		return c
	}
	const locked = "backing off: apply batch 7 of chunk 2 of run email-1: SQLSTATE 55P03 (lock_not_available): canceling statement due to lock timeout"
	return map[string]any{"chunks": []any{
		chunk(1, "COMPLETED", "", 0, 1234), chunk(2, "PROCESSING", locked, 2*time.Second, 3), chunk(3, "PENDING", "backing off: SQLSTATE 53100 (disk_full)", 5*time.Second, 0),
		chunk(4, "PENDING", "backing off: SQLSTATE 53100 (disk_full)", 5*time.Second+time.Millisecond, 0), chunk(5, "PENDING", "deadline of the function", 0, 0),
	}}
}

func noChunks() map[string]any { return map[string]any{"chunks": []any{}} }
