package statement_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// TestASpanReachesExactlyItsRows holds the split of ranges against a row comparison, on every pair of ends that rapid
// finds: each row of the span is changed once, no other is. Keys are of one to three columns of many types; some ends
// are written in another way than the table does.
func TestASpanReachesExactlyItsRows(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		tables := db.CreateKeyTables(t)
		for _, table := range tables {
			db.Exec(t, everyKey(table))
		}
		conn := db.Connect(t)
		rapid.Check(t, func(t *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(t, "table")
			lo, hi := drawKey(t, table, "lo"), drawKey(t, table, "hi")
			copy(hi, lo[:rapid.IntRange(0, len(lo)-1).Draw(t, "shared")]) // else hardly a draw shares two columns
			order, common := compare(t, conn, table, lo, hi)
			if order > 0 {
				lo, hi = hi, lo
			}
			if order == 0 {
				return
			}
			if rapid.Bool().Draw(t, "open") {
				lo = nil
			}
			tx, err := conn.Begin(context.Background())
			must(t, err)
			defer func() { _ = tx.Rollback(context.Background()) }()
			for _, query := range statement.Plain(table.Increment(), span(lo, hi, common)) {
				if _, err := tx.Exec(context.Background(), query.SQL, query.Args...); err != nil {
					t.Fatalf("%s: %v", query.SQL, err)
				}
			}
			expectWithin(t, tx, table, lo, hi)
		})
	})
}

// everyKey fills a table with every combination of values.
func everyKey(table pgtest.KeyTable) string {
	var from []string
	for i, column := range table.Key {
		values := make([]string, len(column.Values))
		for j, value := range column.Values {
			values[j] = "('" + strings.ReplaceAll(value, "'", "''") + "'::" + column.Type + ")"
		}
		from = append(from, fmt.Sprintf("(VALUES %s) AS v%d", strings.Join(values, ", "), i))
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM %s ON CONFLICT DO NOTHING", table.Table(), table.Columns(), strings.Join(from, ", "))
}

func drawKey(t *rapid.T, table pgtest.KeyTable, name string) keyset.Point {
	point := keyset.Point{}
	for _, column := range table.Key {
		point = append(point, rapid.SampledFrom(column.Values).Draw(t, name))
	}
	return point
}

// compare asks Postgres for the order of two keys, in the table's collations, and for the leading columns that are
// equal.
func compare(t *rapid.T, conn *pgx.Conn, table pgtest.KeyTable, a, b keyset.Point) (order, common int) {
	sum, equal := []string{"0"}, "true"
	for _, column := range table.Key {
		name := statement.Quote(column.Name)
		equal += " AND a." + name + " = b." + name
		sum = append(sum, "("+equal+")::int")
	}
	row := func(alias string) string {
		return "(" + alias + "." + strings.ReplaceAll(table.Columns(), ", ", ", "+alias+".") + ")"
	}
	sql := fmt.Sprintf(`WITH a AS (SELECT %[1]s FROM %[2]s WHERE false UNION ALL SELECT %[3]s), b AS (SELECT %[1]s FROM %[2]s WHERE false UNION ALL SELECT %[4]s)
		SELECT (%[5]s > %[6]s)::int - (%[5]s < %[6]s)::int, %[7]s FROM a, b`,
		table.Columns(), table.Table(), table.Values(1), table.Values(1+len(a)), row("a"), row("b"), strings.Join(sum, " + "))
	must(t, conn.QueryRow(context.Background(), sql, anys(a, b)...).Scan(&order, &common))
	return order, common
}

// expectWithin demands that n is 1 in the rows of the range, and 0 in the others.
func expectWithin(t *rapid.T, tx pgx.Tx, table pgtest.KeyTable, lo, hi keyset.Point) {
	inside := fmt.Sprintf("(%s) <= (%s)", table.Columns(), table.Values(1))
	args := anys(hi)
	if lo != nil {
		inside += fmt.Sprintf(" AND (%s) > (%s)", table.Columns(), table.Values(1+len(hi)))
		args = anys(hi, lo)
	}
	var wrong int
	sql := fmt.Sprintf("SELECT count(*) FROM %s WHERE n <> (%s)::int", table.Table(), inside)
	must(t, tx.QueryRow(context.Background(), sql, args...).Scan(&wrong))
	if wrong != 0 {
		t.Fatalf("(%q, %q] of %s: %d rows are wrong", lo, hi, table.Name, wrong)
	}
}

func anys(points ...keyset.Point) []any {
	var all []any
	for _, point := range points {
		for _, text := range point {
			all = append(all, text)
		}
	}
	return all
}

func must(t rapid.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}
