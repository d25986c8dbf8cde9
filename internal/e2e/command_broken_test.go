package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// words is a table of 30,000 rows of which one is no number.
const words = `CREATE TABLE %[1]s (id bigint PRIMARY KEY, word text, n int);
	INSERT INTO %[1]s SELECT g, CASE g WHEN 12345 THEN '*marker-7077' ELSE g::text END FROM generate_series(1, 30000) g; ANALYZE %[1]s`

func numbers(table, where string) string {
	return fmt.Sprintf("name: numbers\ntable: %s\nset: {n: 'word::int'}\nchunk_rows: 5000\n%s", table, where)
}

// aRowThatFails: each of the ways on that docs/failure-modes.md has.
func (c command) aRowThatFails(t *testing.T) {
	table, id := unique("words"), unique("run")
	b := setup(t, table, fmt.Sprintf(words, quoted(table)))
	file := write(t, numbers(table, ""))
	got := c.expect(t, 1, "start", "-f", file, "--run", id, "--wait")
	if !strings.Contains(got.err, "chunk 3 failed: apply batch ") || !strings.Contains(got.err, `1 row within "id" > 12344 AND "id" <= 12345: SQLSTATE 22P02 (invalid_text_representation)`) ||
		strings.Contains(got.err+got.out, "7077") {
		t.Errorf("start: %s", got.err)
	}
	if got := c.expect(t, 0, "chunks", id, "--state", "failed"); !strings.Contains(got.out, "(10000, 15000]") || !strings.Contains(got.out, "22P02") {
		t.Errorf("chunks: %s", got.out)
	}

	// The mended definition, on top of what is done.
	c.expect(t, 0, "start", "-f", write(t, numbers(table, `where: word ~ '^[0-9]+$'`)), "--run", id+"-rest", "--wait")
	b.expectNumbers(t, 29_999)
	if got := c.expect(t, 2, "rollback", id); !strings.Contains(got.err, id+"-rest is newer") {
		t.Errorf("rollback: %s", got.err)
	}
	c.expect(t, 0, "rollback", id+"-rest", "--wait")

	// The mended row.
	b.script(t, "UPDATE "+quoted(table)+" SET word = '12345' WHERE id = 12345")
	c.expect(t, 0, "resume", id, "--wait")
	b.expectNumbers(t, 30_000)
	c.expect(t, 0, "rollback", id, "--wait")
	b.expectNumbers(t, 0)
}

// expectNumbers demands that so many rows are changed, and no other.
func (b *bundle) expectNumbers(t *testing.T, want int64) {
	t.Helper()
	right := b.number(t, "SELECT count(*) FROM "+quoted(b.table)+" WHERE n = id")
	if changed := b.number(t, "SELECT count(n) FROM "+quoted(b.table)); right != want || changed != want {
		t.Errorf("%d rows are changed, %d of them right, want %d", changed, right, want)
	}
}
