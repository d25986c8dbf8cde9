package statement_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// TestMatchingFindsEveryRangeWithAMatch holds it against a row comparison of every row, on ranges that rapid finds: keys
// of one to three columns of many types. Up to the limit it is exact; above it may say yes too often, never too seldom.
func TestMatchingFindsEveryRangeWithAMatch(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		tables := db.CreateKeyTables(t)
		for _, table := range tables {
			db.Exec(t, everyKey(table))
		}
		conn := db.Connect(t)
		rapid.Check(t, func(t *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(t, "table")
			ends := drawEnds(t, conn, table)
			if len(ends) < 2 {
				return
			}
			ranges := follow(ends, rapid.Bool().Draw(t, "open"))
			tx, err := conn.Begin(context.Background())
			must(t, err)
			defer func() { _ = tx.Rollback(context.Background()) }()
			_, err = tx.Exec(context.Background(), fmt.Sprintf("UPDATE %s SET n = 1 WHERE hashtext((%s)::text || $1) %% 20 = 0", table.Table(), table.Columns()),
				rapid.StringN(0, 3, 3).Filter(func(s string) bool { return !strings.Contains(s, "\x00") }).Draw(t, "seed"))
			must(t, err)
			want, matches := matching(t, tx, table, ranges)
			most := rapid.Int64Range(1, 30).Draw(t, "most")
			got := ask(t, tx, table, ranges, most)
			for i := range ranges {
				if want[i] && !got[i] || got[i] && !want[i] && matches < most {
					t.Fatalf("%q of %s: %v, want %v (%d rows match, limit %d)", ranges[i], table.Name, got[i], want[i], matches, most)
				}
			}
		})
	})
}

// drawEnds draws keys of a table, in its order and each once.
func drawEnds(t *rapid.T, conn *pgx.Conn, table pgtest.KeyTable) []keyset.Point {
	var ends []keyset.Point
	for range rapid.IntRange(2, 6).Draw(t, "ends") {
		end := drawKey(t, table, "end")
		if len(ends) > 0 { // else hardly a draw shares two columns
			copy(end, ends[0][:rapid.IntRange(0, len(end)-1).Draw(t, "shared")])
		}
		ends = append(ends, end)
	}
	same := func(a, b keyset.Point) bool { order, _ := compare(t, conn, table, a, b); return order == 0 }
	slices.SortFunc(ends, func(a, b keyset.Point) int { order, _ := compare(t, conn, table, a, b); return order })
	return slices.CompactFunc(ends, same)
}

// follow makes ranges of their ends; open: the first has no lower end.
func follow(ends []keyset.Point, open bool) []keyset.Range {
	var ranges []keyset.Range
	for i := 1; i < len(ends); i++ {
		ranges = append(ranges, keyset.Range{Lo: ends[i-1], Hi: ends[i]})
	}
	if open {
		ranges[0].Lo = nil
	}
	return ranges
}

// ask asks for rows whose n is 1.
func ask(t *rapid.T, tx pgx.Tx, table pgtest.KeyTable, ranges []keyset.Range, most int64) (got []bool) {
	c := table.Increment()
	c.Where = "n = 1"
	whole := statement.Span{Range: keyset.Range{Lo: ranges[0].Lo, Hi: ranges[len(ranges)-1].Hi}}
	if whole.Lo != nil {
		shared := statement.Shared(c, whole.Range)
		must(t, tx.QueryRow(context.Background(), shared.SQL, shared.Args...).Scan(&whole.Common))
	}
	query := statement.Matching(c, whole, ranges, most)
	must(t, tx.QueryRow(context.Background(), query.SQL, query.Args...).Scan(&got))
	if len(got) != len(ranges) {
		t.Fatalf("%d answers for %d ranges", len(got), len(ranges))
	}
	return got
}

// matching tells for each range whether n is 1 in a row of it, and counts such rows in all of them.
func matching(t *rapid.T, tx pgx.Tx, table pgtest.KeyTable, ranges []keyset.Range) (want []bool, rows int64) {
	for _, r := range ranges {
		condition := fmt.Sprintf("(%s) <= (%s)", table.Columns(), table.Values(1))
		args := anys(r.Hi)
		if r.Lo != nil {
			condition += fmt.Sprintf(" AND (%s) > (%s)", table.Columns(), table.Values(1+len(r.Hi)))
			args = anys(r.Hi, r.Lo)
		}
		var count int64
		must(t, tx.QueryRow(context.Background(), fmt.Sprintf("SELECT count(*) FROM %s WHERE n = 1 AND %s", table.Table(), condition), args...).Scan(&count))
		want, rows = append(want, count > 0), rows+count
	}
	return want, rows
}
