package inquiry_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/credentials"
	"backfill/internal/inquiry"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

func asking(t *testing.T, db pgtest.Database, limit time.Duration) inquiry.Inquirer {
	session := postgres.NewSession(credentials.Fixed(db.URL), "test")
	t.Cleanup(session.Drop)
	return inquiry.Inquirer{Session: session, Limit: limit}
}

const table = `CREATE TABLE t (id bigint PRIMARY KEY, a text, c text); INSERT INTO t SELECT g, 'a', CASE WHEN g % 10 > 0 THEN 'c' END FROM generate_series(1, 100) g`

// TestTheInvariantIsAsked, and what Postgres refuses is an answer. None of its texts is in it: they quote values.
func TestTheInvariantIsAsked(t *testing.T) {
	t.Parallel()
	number := func(n float64) *float64 { return &n }
	cases := map[string]struct {
		query  string
		counts bool
		want   run.Invariant
	}{
		"true":          {"SELECT count(*) = 100 FROM t", false, run.Invariant{Holds: true}},
		"false":         {"SELECT count(*) = 0 FROM t WHERE c IS NULL", false, run.Invariant{}},
		"none":          {"SELECT count(*) FROM t WHERE c = 'x'", true, run.Invariant{Holds: true, Rows: number(0)}},
		"some":          {"SELECT count(*) FROM t WHERE c IS NULL", true, run.Invariant{Rows: number(10)}},
		"a parameter":   {"SELECT count(*) FROM t WHERE c = @c AND id <= 20", true, run.Invariant{Rows: number(18)}},
		"NULL":          {"SELECT max(id) FROM t WHERE id > 1000", true, run.Invariant{Error: "it gives NULL"}},
		"no number":     {"SELECT 'NaN'::float8", true, run.Invariant{Error: "it gives no number"}},
		"neither":       {"SELECT NULL::boolean", false, run.Invariant{Error: "it gives NULL"}},
		"an error":      {"SELECT count(*) FROM t WHERE a::int > 0", true, run.Invariant{Error: "it failed: SQLSTATE 22P02 (invalid_text_representation)"}},
		"a write":       {"SELECT nextval('s') > 0", false, run.Invariant{Error: "it failed: SQLSTATE 25006 (read_only_sql_transaction)"}},
		"for ever":      {"SELECT count(*) FROM t, pg_sleep(60)", true, run.Invariant{Error: "it takes longer than 500ms"}},
		"two rows":      {"SELECT true FROM t", false, run.Invariant{Error: "it failed: SQLSTATE 21000 (cardinality_violation)"}},
		"a gone column": {"SELECT gone FROM t", false, run.Invariant{Error: "it failed: SQLSTATE 42703 (undefined_column)"}},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, table+"; CREATE SEQUENCE s")
		asks := asking(t, db, 500*time.Millisecond)
		for name, c := range cases {
			asked := change.Change{Verify: &change.Verify{Query: "(" + c.query + "\n)", Counts: c.counts}, Params: []change.Param{{Name: "c", Type: "text", Value: "c"}}}
			got, err := asks.Invariant(t.Context(), asked)
			must(t, err)
			c.want.Query = c.query
			if diff := cmp.Diff(&c.want, got); diff != "" && (got == nil || !strings.HasPrefix(got.Error, c.want.Error) || c.want.Error == "") {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if got, err := asks.Invariant(t.Context(), change.Change{}); got != nil || err != nil {
			t.Errorf("without a query: %+v, %v", got, err)
		}
	})
}

// TestWhatIsLeftIsAsked up to the bound, and NULL beyond it; of a column that is NOT NULL nothing is to be proved.
func TestWhatIsLeftIsAsked(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, table)
		asks := asking(t, db, 0)
		c := change.Change{Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}, Where: "c IS NULL"}
		for bound, want := range map[string][2]bool{"9": {false, false}, "10": {true, false}, "95": {true, false}, "100": {true, true}} {
			left, err := asks.Left(t.Context(), c, keyset.Point{bound})
			must(t, err)
			provable, err := asks.Provable(t.Context(), c, keyset.Point{bound}, "c")
			must(t, err)
			already, err := asks.Provable(t.Context(), c, keyset.Point{bound}, "id")
			must(t, err)
			if *left != want[0] || *provable != want[1] || *already {
				t.Errorf("up to %s: left %t, provable %t and %t", bound, *left, *provable, *already)
			}
		}
		c.Where = "(SELECT true FROM pg_sleep(9))"
		asks.Limit = 300 * time.Millisecond
		if left, err := asks.Left(t.Context(), c, keyset.Point{"100"}); left != nil || err != nil {
			t.Errorf("no answer in time: %v, %v", left, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
