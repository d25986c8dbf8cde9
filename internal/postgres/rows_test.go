package postgres_test

import (
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
)

// quoting are statements whose error quotes the row.
var quoting = map[string]struct {
	sql, code string
	class     failure.Class
}{
	"a number":                   {`UPDATE t SET n = secret::int`, "22P02", failure.Data},
	"a number in another column": {`UPDATE t SET n = amount::text::int`, "22003", failure.Data},
	"a time":                     {`UPDATE t SET at = secret::timestamptz`, "22007", failure.Data},
	"a time zone":                {`UPDATE t SET at = at_zone FROM (SELECT timezone(secret, now()::timestamp) AS at_zone FROM t) z`, "22023", failure.Data},
	"a document":                 {`UPDATE t SET doc = substr(secret, 2)::jsonb`, "22P02", failure.Data},
	"a constraint NOT NULL":      {`UPDATE t SET id = NULL`, "23502", failure.Data},
	"a unique key":               {`UPDATE t SET "user" = secret`, "23505", failure.Data},
	"a foreign key":              {`UPDATE t SET friend = secret`, "23503", failure.Data},
	"a check":                    {`UPDATE t SET checked = secret`, "23514", failure.Data},
	"an exclusion": {`INSERT INTO t (id, secret, "user", during) VALUES (3, '', '*marker-7077', '[2026-01-02,2026-01-04)')`,
		"23505", failure.Data},
	"a view with check option": {`UPDATE short SET secret = secret || 'twelve letters'`, "44000", failure.Data},
	"the name of a table":      {`UPDATE t SET n = secret::regclass::oid::int`, "42P01", failure.Permanent},
	"the name of a type":       {`UPDATE t SET n = substr(secret, 2, 6)::regtype::oid::int`, "42704", failure.Permanent},
	"the name of a sequence":   {`UPDATE t SET n = nextval(substr(secret, 2, 6))`, "42P01", failure.Permanent},
	"the name of a function":   {`UPDATE t SET n = (substr(secret, 2, 6)::regproc)::oid::int`, "42883", failure.Permanent},
	"a query of words":         {`UPDATE t SET checked = (secret || ' !')::tsquery::text`, "42601", failure.Permanent},
	"a statement in a string":  {`UPDATE t SET checked = query_to_xml(substr(secret, 2, 6), true, true, '')::text`, "42601", failure.Permanent},
	"a setting":                {`UPDATE t SET checked = current_setting(substr(secret, 2, 6))`, "42704", failure.Permanent},
}

func TestAnErrorThatQuotesARow(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for name, c := range quoting {
			t.Run(name, func(t *testing.T) {
				err := exec(b.conn, c.sql)
				expectError(t, err, c.code, c.class)
				if !quotes(err) {
					t.Errorf("the server quoted nothing, so the case shows nothing: %v", err)
				}
			})
		}
	})
}

// TestAnErrorThatATriggerRaises: a user's function may give any code a text that quotes the row.
func TestAnErrorThatATriggerRaises(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for code, class := range map[string]failure.Class{
			"P0001": failure.Permanent, "42501": failure.Permanent, "42P01": failure.Permanent, "0A000": failure.Permanent,
			"22000": failure.Data, "23000": failure.Data, "40001": failure.Transient, "53000": failure.Transient,
			"55P03": failure.Transient, "57014": failure.Transient, "XX000": failure.Permanent,
			// Those that no test can have the server raise by itself.
			"08006": failure.Unknown, "40003": failure.Unknown, "57P04": failure.Permanent, "58030": failure.Transient,
		} {
			t.Run(code, func(t *testing.T) {
				must(t, exec(b.conn, `DROP TRIGGER IF EXISTS refuse ON t`,
					`CREATE TRIGGER refuse BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse('`+code+`')`))
				err := exec(b.conn, `UPDATE t SET n = 1`)
				expectError(t, err, code, class)
				if !quotes(err) {
					t.Errorf("the server quoted nothing: %v", err)
				}
			})
		}
	})
}

// TestAnErrorThatQuotesNoRow: what a person needs in order to mend it stays in the safe text.
func TestAnErrorThatQuotesNoRow(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for sql, c := range map[string]struct {
			code  string
			class failure.Class
			says  string
		}{
			`UPDATE t SET n = id / 0`:                             {"22012", failure.Data, "SQLSTATE 22012"},
			`UPDATE t SET short = secret`:                         {"22001", failure.Data, "SQLSTATE 22001"},
			`UPDATE t SET n = nope`:                               {"42703", failure.Permanent, `column "nope" does not exist`},
			`UPDATE nope SET n = 1`:                               {"42P01", failure.Permanent, `relation "nope" does not exist`},
			`UPDATE t SET n = lower(n)`:                           {"42883", failure.Permanent, `function lower(integer) does not exist`},
			`UPDATE t SET n = 'x' + 1.5 FRM`:                      {"42601", failure.Permanent, `syntax error at or near "FRM"`},
			`UPDATE t SET n = true`:                               {"42804", failure.Permanent, `column "n" is of type integer`},
			`SET ROLE pg_monitor; UPDATE t SET n = 1`:             {"42501", failure.Permanent, `permission denied for table t`},
			`BEGIN READ ONLY; UPDATE t SET n = 1`:                 {"25006", failure.Transient, "SQLSTATE 25006"},
			`BEGIN; SELECT nope; SELECT 1`:                        {"42703", failure.Permanent, `"nope"`},
			`UPDATE t SET "user" = 'Ann'`:                         {"23505", failure.Data, `table "t", constraint "t_user_key"`},
			`SET statement_timeout = '50ms'; SELECT pg_sleep(60)`: {"57014", failure.Transient, "statement timeout"},
			`SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)`: {
				"57014", failure.Transient, "user request"},
			`UPDATE t SET doc = to_jsonb((SELECT string_agg(md5(g::text), '') FROM generate_series(1, 999) g))`: {
				"54000", failure.Permanent, "SQLSTATE 54000"},
		} {
			t.Run(sql, func(t *testing.T) {
				conn := b.db.Connect(t)
				err := exec(conn, strings.Split(sql, "; ")...)
				expectError(t, err, c.code, c.class)
				if safe := failure.Safe(postgres.Classify(err)); !strings.Contains(safe, c.says) {
					t.Errorf("safe text %q does not say %q", safe, c.says)
				}
			})
		}
	})
}
