package probe_test

import (
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/probe"
	"backfill/internal/signal"
)

// TestMetrics: a query that gives a number is a signal; any other is missing and says why, changes nothing, and hinders no other.
func TestMetrics(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := setup(t, db)
		db.Exec(t, `CREATE FUNCTION write_it() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
				PERFORM set_config('statement_timeout', '0', false); UPDATE users SET n = 99; RETURN 1; END $$;
			CREATE FUNCTION reopen() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
				PERFORM set_config('transaction_read_only', 'off', true); UPDATE users SET n = 99; RETURN 1; END $$`)
		queries := []struct{ name, query, missing string }{
			{"count", "SELECT count(*) FROM users", ""},
			{"numeric", "SELECT avg(n) FROM users", ""},
			{"slow", "SELECT count(pg_sleep(20))", "its query takes longer than 500 ms"},
			{"null", "SELECT n FROM users WHERE false", "its query gives NULL"},
			{"rows", "SELECT n FROM users", "SQLSTATE 21000"},
			{"gone", "SELECT count(*) FROM jobs", "SQLSTATE 42P01"},
			{"value", "SELECT ('x' || n)::int FROM users WHERE id = 1", "SQLSTATE 22P02"},
			{"infinite", "SELECT 'infinity'::float8", "gives no number"},
			{"writes", "SELECT write_it()", "SQLSTATE 25006"},
			{"reopens", "SELECT reopen()", "SQLSTATE 25001"},
			{"last", "SELECT max(n) FROM users", ""},
		}
		for _, q := range queries {
			got := probe.Ask(t.Context(), conn, []signal.Metric{{Name: signal.Name(q.name), Query: q.query, Limit: 4, Unit: "jobs"}})[0]
			if (got.Value == nil) != (q.missing != "") || !strings.Contains(got.Missing, q.missing) || strings.Contains(got.Missing, "x1") {
				t.Errorf("%s: %s, want %q", q.name, got, q.missing)
			}
		}
		holder := db.Connect(t)
		exec(t, holder, "BEGIN; LOCK users")
		if got := probe.Ask(t.Context(), conn, []signal.Metric{{Name: "locked", Query: "SELECT max(n) + 1 FROM users"}})[0]; !strings.Contains(got.Missing, "500 ms") {
			t.Errorf("its table is locked: %s", got)
		}
		exec(t, holder, "ROLLBACK")
		slow := signal.Metric{Name: "slow", Query: "SELECT count(pg_sleep(20))"}
		last := signal.Metric{Name: "last", Query: "SELECT 2"}
		all := probe.Ask(t.Context(), conn, []signal.Metric{last, slow, slow, last})
		if all[0].Value == nil || all[1].Value != nil || all[1].Age < 0.5 || all[3].Value != nil || !strings.Contains(all[3].Missing, "took the time") {
			t.Errorf("%v", all)
		}
		if _, readings := take(t, conn, probe.Sample{}); readings["lock_waiters"].Value == nil {
			t.Error("the signals beside them are gone")
		}
		var changed bool
		must(t, conn.QueryRow(t.Context(), "SELECT bool_or(n = 99) OR current_setting('transaction_read_only') = 'on' FROM users").Scan(&changed))
		if changed {
			t.Error("a metric has changed rows, or the session stays read only")
		}
	})
}
