package rehearsal_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/review"
)

// TestADryRunLeavesNothing: no schema where there was none, no row version, no lock, no number of a sequence, no transaction that goes on.
func TestADryRunLeavesNothing(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, users+"CREATE SEQUENCE s; CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('s'); RETURN new; END $$; "+
			"CREATE TRIGGER told BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION told()")
		const state = "SELECT count(*) + sum(hashtext(ctid::text || xmin::text || u::text)) FROM users u"
		before := b.number(t, state)
		for _, definition := range []string{lower, "name: a\ntable: users\ndelete: true\nwhere: n > 5\n", "name: a\ntable: users\nset: {n: nextval('s')}\n"} {
			b.rehearse(t, definition, 8)
		}
		if after := b.number(t, state); after != before {
			t.Error("rows are others than before")
		}
		if n := b.number(t, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backfill'"); n != 0 {
			t.Error("a schema was made")
		}
		if n := b.number(t, "SELECT count(*) FROM s WHERE is_called"); n != 0 {
			t.Error("a sequence was moved")
		}
		if n := b.number(t, `SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid
			WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND (a.state <> 'idle' OR l.pid IS NOT NULL)`); n != 0 {
			t.Errorf("%d locks or transactions are held", n)
		}
	})
}

// TestValuesAreInTheSampleAlone: a marker in each row is found nowhere else, whatever goes wrong with rows; neither in the log.
func TestValuesAreInTheSampleAlone(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	db := pgtest.Newest(t)
	b := setup(t, db, users+`CREATE FUNCTION leak() RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT email FROM users WHERE id = 3';
		CREATE FUNCTION fails(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'here is %', t; END $$`)
	for name, definition := range map[string]string{
		"fine":                 lower,
		"a cast that fails":    "name: a\ntable: users\nset: {n: email::int}\n",
		"a where that fails":   "name: a\ntable: users\nset: {n: 1}\nwhere: email::int > 1\n",
		"a function's text":    "name: a\ntable: users\nset: {email: fails(email)}\n",
		"a value that is long": "name: a\ntable: users\nset: {short: email}\n",
		"rows that go":         "name: a\ntable: users\ndelete: true\nwhere: n > 0\n",
		"a plan that has one":  "name: a\ntable: users\nset: {n: 1}\nwhere: email <> leak()\n",
	} {
		found, err := b.Rehearse(t.Context(), review.Subject{Definition: definition}, 8)
		if err != nil && strings.Contains(failure.Safe(err), "MARKER") {
			t.Errorf("%s: the error says %v", name, err)
		}
		if summary := asJSON(t, found.Summary()); strings.Contains(summary, "MARKER") {
			t.Errorf("%s: the summary has a value: %s", name, summary)
		}
		for i := range found.Sample {
			found.Sample[i].Before, found.Sample[i].After = nil, nil
		}
		if name == "a plan that has one" { // on the terminal alone
			if !tells(found.Plan.Lines, "MARKER") {
				t.Errorf("the plan has no value, so nothing is shown by this test: %v", found.Plan)
			}
			found.Plan.Lines = nil
		}
		if rest := asJSON(t, found); strings.Contains(rest, "MARKER") {
			t.Errorf("%s: the rest has a value: %s", name, rest)
		}
	}
	if strings.Contains(log.String(), "MARKER") {
		t.Errorf("logged: %s", &log)
	}
}
