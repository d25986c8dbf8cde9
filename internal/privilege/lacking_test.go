package privilege_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"backfill/internal/credentials"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/privilege"
	"backfill/internal/probe"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/signal"
)

// TestEachRightOfATable is taken away in turn. The start is refused, with one problem, which has the statement that gives it again.
func TestEachRightOfATable(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for kind := range kinds {
			t.Run(kind, func(t *testing.T) {
				l := setup(t, db.Encoded(t, "UTF8"), kind)
				line := runtest.On(t, l.login).Line(t)
				for _, statement := range append([]string{"GRANT USAGE ON SCHEMA shop TO " + l.role}, sections(t)[kind]...) {
					statement = strings.ReplaceAll(statement, "backfill_runner", l.role)
					l.admin.Exec(t, strings.NewReplacer("GRANT ", "REVOKE ", " TO ", " FROM ").Replace(statement))
					_, err := ask(t, line, map[string]any{"action": "start", "run": "refused", "definition": l.definition()})
					if !failure.Is(err, failure.Invalid) || strings.Count(err.Error(), "GRANT") != 1 || !strings.Contains(err.Error(), statement) {
						t.Errorf("without %s: %v", statement, err)
					}
					l.admin.Exec(t, statement)
				}
				expect(t, line, map[string]any{"action": "start", "run": "allowed", "definition": l.definition()}, run.Completed)
			})
		}
	})
}

// TestTheRightsOfEveryKind: to connect, to have the ledger, to see signals.
func TestTheRightsOfEveryKind(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		l := setup(t, db, "set")
		name := strings.TrimPrefix(regexp.MustCompile(`/test_\w+`).FindString(db.URL), "/")
		for away, c := range map[string]struct{ back, want string }{
			"REVOKE CONNECT ON DATABASE " + name + " FROM " + l.role: {
				"GRANT CONNECT ON DATABASE " + name + " TO " + l.role, `permission denied for database "` + name + `"; GRANT CONNECT ON DATABASE "` + name + `" TO "` + l.role + `"`},
			"DROP SCHEMA backfill": {"CREATE SCHEMA backfill AUTHORIZATION " + l.role,
				"role " + l.role + " may not make the schema backfill, which the first start does; CREATE SCHEMA backfill AUTHORIZATION " + l.role + ", or GRANT CREATE ON DATABASE " + name + " TO " + l.role},
			"ALTER SCHEMA backfill OWNER TO CURRENT_USER; REVOKE ALL ON SCHEMA backfill FROM " + l.role: {
				"ALTER SCHEMA backfill OWNER TO " + l.role, "role " + l.role + " may not use the schema backfill, or make things in it; GRANT USAGE, CREATE ON SCHEMA backfill TO " + l.role},
			"CREATE TABLE backfill.version (version int, applied_at timestamptz DEFAULT now())": {"DROP TABLE backfill.version",
				"tables of the schema backfill belong to " + owner(t, db) + ", and not to role " + l.role + "; GRANT " + owner(t, db) + " TO " + l.role},
		} {
			db.Exec(t, away)
			err := migrate(t, l.login)
			if got := failure.Safe(err); !failure.Is(err, failure.Permanent) || !strings.Contains(got, c.want) {
				t.Errorf("after %s: %s", away, got)
			}
			db.Exec(t, c.back)
		}
		must(t, migrate(t, l.login))
		if missing := l.missing(t); len(missing) > 0 {
			t.Errorf("under all rights: %v", missing)
		}
		db.Exec(t, "REVOKE pg_read_all_stats FROM "+l.role)
		if missing := l.missing(t); len(missing) < 5 || !strings.Contains(missing[0], "GRANT pg_read_all_stats") {
			t.Errorf("without sight: %v", missing)
		}
		role, err := privilege.Of(t.Context(), l.login.Connect(t))
		must(t, err)
		if lack, remedy := role.Sight(); lack == "" || remedy != "GRANT pg_read_all_stats TO "+l.role {
			t.Errorf("%s; %s", lack, remedy)
		}
	})
}

func owner(t *testing.T, db pgtest.Database) (name string) {
	t.Helper()
	must(t, db.Connect(t).QueryRow(t.Context(), "SELECT quote_ident(current_user)").Scan(&name))
	return name
}

func migrate(t *testing.T, login pgtest.Database) error {
	t.Helper()
	session := postgres.NewSession(credentials.Fixed(login.URL), "test")
	defer session.Drop()
	return ledger.New(session, runtest.Terms).Migrate(context.Background())
}

// missing lists the signals that have no value, and why.
func (l *least) missing(t *testing.T) (missing []string) {
	t.Helper()
	sample, err := probe.Take(t.Context(), l.login.Connect(t), signal.Limits{}, probe.Sample{}, 0)
	must(t, err)
	for _, reading := range sample.Readings {
		if reading.Missing != "" && !strings.Contains(reading.Missing, "since statistics") {
			missing = append(missing, reading.Key()+": "+reading.Missing)
		}
	}
	return missing
}
