package statement_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// TestABatchInAGroupReadsNoMoreThanItsRows: of a group of equal leading columns it reads its own stretch, not what is before it or
// behind it. The upper bound of a row comparison does not stop the walk before the group's end, up to Postgres 17.
func TestABatchInAGroupReadsNoMoreThanItsRows(t *testing.T) {
	t.Parallel()
	const most = 40 // for 1,000 rows; up to the end of the group it is 393
	c := change.Change{
		Kind: change.Set, Table: change.Table{Schema: "public", Name: "t"},
		Key: []keyset.Column{{Name: "tenant", Type: "integer"}, {Name: "id", Type: "bigint"}},
		Set: []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "0"}},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE TABLE t (tenant int, id bigint, n int NOT NULL DEFAULT 0, PRIMARY KEY (tenant, id));
			INSERT INTO t SELECT 1 + g / 150000, g FROM generate_series(1, 300000) g`)
		db.Exec(t, "VACUUM ANALYZE t")
		conn := db.Connect(t)
		for name, batch := range map[string]statement.Span{
			"within a group":     span(keyset.Point{"1", "50000"}, keyset.Point{"1", "51000"}, 1),
			"from group to next": span(keyset.Point{"1", "149500"}, keyset.Point{"2", "150500"}, 0),
		} {
			read := 0
			for _, query := range statement.Plain(c, batch) {
				read += buffers(t, conn, query)
			}
			if read > most {
				t.Errorf("%s, %s: the update reads %d pages", db.Major, name, read)
			}
			if read := buffers(t, conn, statement.Next(c, batch.Lo, keyset.Point{"2", "300000"}, 1000)); read > most {
				t.Errorf("%s, %s: the look for the end reads %d pages", db.Major, name, read)
			}
		}
	})
}

// buffers carries out a statement as a batch does, and tells how many pages it read.
func buffers(t *testing.T, conn *pgx.Conn, query statement.Query) (read int) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), "SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_custom_plan"); err != nil {
		t.Fatal(err)
	}
	rows, _ := conn.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) "+query.SQL, query.Args...)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?`).FindStringSubmatch(strings.Join(lines, "\n"))
	if found == nil {
		t.Fatalf("no page was counted:\n%s", strings.Join(lines, "\n"))
	}
	for _, count := range found[1:] {
		n, _ := strconv.Atoi(count) // none: 0
		read += n
	}
	return read
}
