package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/control"
)

// TestACertificateIsShownChunkByChunk, by the alias that only looks, too. A run without one says how to get it.
func TestACertificateIsShownChunkByChunk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if told := b.refused(t, "read", `{"action":"certificate","run":"run-1"}`); !strings.Contains(told, "backfill verify run-1") {
		t.Fatal(told)
	}
	b.Exec(t, `DELETE FROM backfill.ledger`)
	b.Exec(t, `UPDATE backfill.runs SET certificate = '{"holds": true, "tiled": true, "chunks": 5, "values": {"rows": 500, "digest": "-35"}, "sql": ["ALTER"]}'`)
	b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, hi, state, looked, fitting, deviating, mended, digest) SELECT 'run-1', n, '{}', 'COMPLETED', 100, 90, n, n, -7 FROM generate_series(1, 5) n`)
	b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, hi, state) VALUES ('run-1', 6, '{}', 'ROLLED_BACK')`)
	for _, c := range []struct{ limit, after, want, next int64 }{{2, 0, 2, 2}, {2, 2, 2, 4}, {2, 4, 1, 0}, {5, 0, 5, 0}, {0, 0, 5, 0}, {2, 6, 0, 0}} {
		var page control.Certified
		must(t, json.Unmarshal([]byte(b.answer(t, fmt.Sprintf(`{"action":"certificate","run":"run-1","limit":%d,"after":%d}`, c.limit, c.after))), &page))
		if int64(len(page.Chunks)) != c.want || page.Next != c.next || !page.Certificate.Holds || page.Certificate.Values.Digest != "-35" || len(page.Certificate.SQL) != 1 {
			t.Fatalf("%+v: %+v", c, page)
		}
		for i, chunk := range page.Chunks {
			if n := c.after + 1 + int64(i); chunk.Chunk != n || chunk.Deviating != n || chunk.Looked != 100 || chunk.Digest != "-7" {
				t.Fatalf("%+v: %+v", c, chunk)
			}
		}
	}
	for _, bad := range []string{`"run":"run-1","limit":1001`, `"limit":3`, `"run":"nobody"`} {
		b.refused(t, "read", `{"action":"certificate",`+bad+`}`)
	}
}
