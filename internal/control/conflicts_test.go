package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// conflicts is a page, and its size.
type conflicts struct {
	Columns   []string
	Conflicts []struct {
		Key   []string
		Holds []*string
		Was   []*string
	}
	Next int64
	size int
}

func (b *bundle) conflicts(t *testing.T, limit, after int64) (page conflicts) {
	t.Helper()
	answer := b.answer(t, fmt.Sprintf(`{"action":"conflicts","run":"run-1","limit":%d,"after":%d}`, limit, after))
	must(t, json.Unmarshal([]byte(answer), &page))
	page.size = len(answer)
	return page
}

// left puts conflicts into the database, each with columns that hold a value, and held it before.
func (b *bundle) left(t *testing.T, rows, columns int, value string) {
	t.Helper()
	b.Exec(t, `INSERT INTO backfill.conflicts (run, chunk, key, holds, was, found_at)
		SELECT 'run-1', 1 + n / 100, ARRAY[to_char(n, 'FM0000')], array_fill($3::text, ARRAY[$2::int]), array_fill($3::text, ARRAY[$2::int]), now()
		FROM generate_series(0, $1::int - 1) n`, rows, columns, value)
}

func TestConflictsComeInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if page := b.conflicts(t, 3, 0); page.Conflicts == nil || len(page.Conflicts) > 0 || page.Next != 0 {
		t.Fatalf("%+v", page)
	}
	b.left(t, 7, 1, "x")
	for _, c := range []struct{ limit, after, want, next int64 }{{3, 0, 3, 3}, {3, 3, 3, 6}, {3, 6, 1, 0}, {0, 0, 7, 0}, {7, 0, 7, 0}, {6, 1, 6, 0}, {3, 7, 0, 0}} {
		page := b.conflicts(t, c.limit, c.after)
		if int64(len(page.Conflicts)) != c.want || page.Next != c.next || c.want > 0 && page.Conflicts[0].Key[0] != fmt.Sprintf("%04d", c.after) {
			t.Errorf("%+v: %+v", c, page)
		}
	}
	for _, bad := range []string{`"run":"run-1","limit":1001`, `"run":"run-1","limit":-1`, `"run":"run-1","after":-1`, `"limit":3`, `"run":"nobody"`} {
		b.refused(t, "read", `{"action":"conflicts",`+bad+`}`)
	}
}

// TestAPageOfWideRowsEndsEarly: Lambda answers with 6 MB at most. Each sign of the values takes 6 bytes as JSON.
func TestAPageOfWideRowsEndsEarly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const rows = 125
	b.left(t, rows, 8, strings.Repeat("\x01", 1000))
	seen, pages := int64(0), 0
	for next := int64(-1); next != 0; pages++ {
		page := b.conflicts(t, 1000, seen)
		for _, found := range page.Conflicts {
			if want := fmt.Sprintf("%04d", seen); found.Key[0] != want || len(found.Holds) != 8 || len(found.Was) != 8 {
				t.Fatalf("%s in place of %s", found.Key[0], want)
			}
			seen++
		}
		if next = page.Next; page.size > 6_000_000 || next != 0 && (next != seen || page.size < 5_000_000) {
			t.Fatalf("%d bytes up to row %d; next %d", page.size, seen, next)
		}
	}
	if seen != rows || pages != 3 {
		t.Fatalf("%d rows in %d pages", seen, pages)
	}
}

// TestARowThatIsTooWideIsAPage: a page without any would look like the last.
func TestARowThatIsTooWideIsAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.left(t, 2, 1000, strings.Repeat("x", 5000))
	if page := b.conflicts(t, 10, 0); len(page.Conflicts) != 1 || page.Next != 1 {
		t.Fatalf("%d rows, next %d", len(page.Conflicts), page.Next)
	}
}
