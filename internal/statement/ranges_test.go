package statement_test

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"pgregory.net/rapid"
)

// TestASpanReachesExactlyItsRows holds the split of composite ranges against a row comparison, on every pair of ends
// that rapid finds: each row of the span is changed once, no other is.
func TestASpanReachesExactlyItsRows(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE TABLE grid (a int, b numeric, c int, n int DEFAULT 0, PRIMARY KEY (a, b, c));
			INSERT INTO grid (a, b, c) SELECT a, b, c FROM generate_series(0, 3) a, generate_series(0, 3) b, generate_series(0, 3) c`)
		conn := db.Connect(t)
		c := change.Change{
			Kind: change.Set, Table: change.Table{Schema: "public", Name: "grid"},
			Key: []keyset.Column{{Name: "a", Type: "integer"}, {Name: "b", Type: "numeric"}, {Name: "c", Type: "integer"}},
			Set: []change.Assignment{{Column: "n", Type: "integer", Expression: "n + 1"}},
		}
		rapid.Check(t, func(t *rapid.T) {
			lo, hi := drawPoint(t, "lo"), drawPoint(t, "hi")
			if slices.Compare(lo, hi) >= 0 {
				lo, hi = hi, lo
			}
			if slices.Equal(lo, hi) {
				return
			}
			common := 0
			for common < 3 && lo[common] == hi[common] {
				common++
			}
			from := texts(lo)
			if rapid.Bool().Draw(t, "open") {
				from = nil
			}
			tx, err := conn.Begin(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.Background()) }()
			for _, query := range statement.Plain(c, statement.Span{Range: keyset.Range{Lo: from, Hi: texts(hi)}, Common: common}) {
				if _, err := tx.Exec(context.Background(), query.SQL, query.Args...); err != nil {
					t.Fatalf("%s: %v", query.SQL, err)
				}
			}
			var wrong int
			err = tx.QueryRow(context.Background(), `SELECT count(*) FROM grid WHERE n <>
				(((a, b, c) > ($1, $2, $3) OR $4) AND (a, b, c) <= ($5, $6, $7))::int`,
				lo[0], lo[1], lo[2], from == nil, hi[0], hi[1], hi[2]).Scan(&wrong)
			if err != nil || wrong != 0 {
				t.Fatalf("(%v, %v]: %d rows are wrong, %v", from, hi, wrong, err)
			}
		})
	})
}

func drawPoint(t *rapid.T, name string) []int {
	return rapid.SliceOfN(rapid.IntRange(-1, 4), 3, 3).Draw(t, name)
}

// texts writes the numeric column in another way than the table does: 1.00 for 1.
func texts(point []int) keyset.Point {
	text := keyset.Point{}
	for i, n := range point {
		text = append(text, strconv.Itoa(n)+cmp.Or(map[int]string{1: ".00"}[i], ""))
	}
	return text
}
