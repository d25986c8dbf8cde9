package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestRejectsComeInPages, by the alias that only looks, too: their messages, which quote values, are nowhere else.
func TestRejectsComeInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) SELECT 'run-1', 1 + n / 5, ARRAY[to_char(n, 'FM0000')], '22P02', 'not ' || n
		FROM generate_series(0, 6) n`)
	var first struct {
		Chunk             int64
		Key               []string
		SQLState, Message string
		FoundAt           string `json:"found_at"`
	}
	for _, c := range []struct{ limit, after, want, next int64 }{{3, 0, 3, 3}, {3, 3, 3, 6}, {3, 6, 1, 0}, {0, 0, 7, 0}, {7, 0, 7, 0}, {3, 7, 0, 0}} {
		var page struct {
			Rejects []json.RawMessage
			Next    int64
		}
		must(t, json.Unmarshal([]byte(b.answer(t, fmt.Sprintf(`{"action":"rejects","run":"run-1","limit":%d,"after":%d}`, c.limit, c.after))), &page))
		if page.Rejects == nil || int64(len(page.Rejects)) != c.want || page.Next != c.next {
			t.Fatalf("%+v: %d rows, next %d", c, len(page.Rejects), page.Next)
		}
		if c.want == 0 {
			continue
		}
		must(t, json.Unmarshal(page.Rejects[0], &first))
		if first.Chunk != 1+c.after/5 || first.Key[0] != fmt.Sprintf("%04d", c.after) || first.SQLState != "22P02" ||
			first.Message != fmt.Sprint("not ", c.after) || !strings.HasPrefix(first.FoundAt, "20") {
			t.Errorf("%+v: %+v", c, first)
		}
	}
	for _, bad := range []string{`"run":"run-1","limit":1001`, `"run":"run-1","limit":-1`, `"run":"run-1","after":-1`, `"limit":3`, `"run":"nobody"`} {
		b.refused(t, "read", `{"action":"rejects",`+bad+`}`)
	}
}
