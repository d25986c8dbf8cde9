package boundary_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// TestTheWalkDownReadsTheKeysIndexBackwards, from where it stands, and no other part of it: also from the midst of a group of equal leading
// columns, and through partitions, the last of which comes first.
func TestTheWalkDownReadsTheKeysIndexBackwards(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	bigint := keyset.Column{Name: "id", Type: "bigint"}
	for name, table := range map[string]struct {
		ddl  string
		key  []keyset.Column
		from keyset.Point
	}{
		"bigint": {"CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t SELECT generate_series(1, %d)", []keyset.Column{bigint}, keyset.Point{"50000"}},
		"text":   {"CREATE TABLE t (id text PRIMARY KEY); INSERT INTO t SELECT md5(g::text) FROM generate_series(1, %d) g", []keyset.Column{{Name: "id", Type: "text"}}, keyset.Point{"e"}},
		"composite, within one tenant": {"CREATE TABLE t (tenant int, id bigint, PRIMARY KEY (tenant, id)); INSERT INTO t SELECT 1 + g / 50000, g FROM generate_series(1, %d) g",
			[]keyset.Column{{Name: "tenant", Type: "integer"}, bigint}, keyset.Point{"1", "20000"}},
		"an index of mixed order": {"CREATE TABLE t (id bigint NOT NULL); INSERT INTO t SELECT generate_series(1, %d); CREATE UNIQUE INDEX ON t (id DESC)", []keyset.Column{bigint}, keyset.Point{"50000"}},
		"partitions": {"CREATE TABLE t (id bigint PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (20000); " +
			"CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (20000) TO (90000); INSERT INTO t SELECT generate_series(1, %d)", []keyset.Column{bigint}, keyset.Point{"50000"}},
	} {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			db.Exec(t, fmt.Sprintf(table.ddl, rows))
			conn := db.Connect(t)
			exec(t, conn, "VACUUM ANALYZE t")
			c := change.Change{Table: change.Table{Schema: "public", Name: "t"}, Key: table.key, ChunkRows: 1000, Order: keyset.Descending}
			lines := explain(t, conn, statement.Cursor(c, "walk", nil, table.from), 1000)
			backwards := !strings.Contains(table.ddl, "DESC")
			if want := "Index Only Scan Backward"; backwards != strings.Contains(lines, want) || !strings.Contains(lines, "Index Only Scan") || strings.Contains(lines, "Sort (") {
				t.Errorf("%s, %s:\n%s", db.Major, name, lines)
			}
			if found := regexp.MustCompile(`Buffers: shared (?:hit=(\d+))?(?: read=(\d+))?`).FindStringSubmatch(lines); found == nil || number(found[1])+number(found[2]) > 40 {
				t.Errorf("%s, %s reads %v:\n%s", db.Major, name, found, lines)
			}
		})
	}
}

// explain carries out the first so many rows of what a cursor is declared for.
func explain(t *testing.T, conn *pgx.Conn, cursor statement.Query, rows int) string {
	t.Helper()
	_, query, _ := strings.Cut(cursor.SQL, " CURSOR FOR ")
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), boundary.Settings); err != nil {
		t.Fatal(err)
	}
	found, _ := tx.Query(t.Context(), fmt.Sprintf("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) %s LIMIT %d", query, rows), cursor.Args...)
	lines, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// TestTheFirstChunksAreThoseOfTheGreatestKeys, of which each has its size.
func TestTheFirstChunksAreThoseOfTheGreatestKeys(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, "CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000000)")
		conn := db.Connect(t)
		exec(t, conn, "VACUUM ANALYZE t")
		c := change.Change{Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: 100_000, Order: keyset.Descending}
		begun := time.Now()
		bound, err := boundary.Bound(t.Context(), conn, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		window, err := boundary.Cut(t.Context(), conn, c, nil, bound, 2)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("the first page took %s", time.Since(begun))
		if got := fmt.Sprint(window.Ranges, window.Keys, window.Closed); got != "[{[900000] [1000000]} {[800000] [900000]}] [100000 100000] false" {
			t.Error(got)
		}
	})
}
