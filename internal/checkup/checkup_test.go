package checkup_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"backfill/internal/checkup"
	"backfill/internal/credentials"
	"backfill/internal/faults/cluster"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/runtest"
)

// TestADatabaseBeforeAndAfterItsFirstStart: nothing fails, and the tables of the ledger are not made by looking.
func TestADatabaseBeforeAndAfterItsFirstStart(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		e := examiner(t, runtest.On(t, db), db.URL)
		db.Exec(t, "DROP SCHEMA backfill CASCADE")
		expect(t, e, "ledger", checkup.OK, "the first start makes the schema backfill", "")
		must(t, ledger.New(runtest.Session(t, db.URL), runtest.Terms).Migrate(t.Context()))
		expect(t, e, "ledger", checkup.OK, fmt.Sprintf("schema backfill has version %d", ledger.Version), "")
		expect(t, e, "version", checkup.OK, "Postgres "+db.Major, "")
		expect(t, e, "connection", checkup.OK, "role ", "")
		for _, check := range e.Examine(t.Context()).Checks {
			if check.State == checkup.Fail || check.State == checkup.Warn && check.Remedy == "" {
				t.Errorf("%+v", check)
			}
		}
		db.Exec(t, fmt.Sprintf("INSERT INTO backfill.version (version) VALUES (%d)", ledger.Version+1))
		expect(t, e, "ledger", checkup.Warn, "a newer stack works here", "deploy the newer version")
	})
}

// TestWhatIsWrong: each thing that a server can have is found, with what to do about it.
func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b, role, address := runtest.On(t, db), "doctor_"+strings.ReplaceAll(time.Now().Format("150405.000000"), ".", "_")+db.Major, urlOf(t, db)
		db.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'few'")
		t.Cleanup(func() { db.Exec(t, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
		address.User = url.UserPassword(role, "few")
		login := address.String()
		for _, c := range []struct{ name, state, sql, text, remedy string }{
			{"ledger", checkup.Fail, "", "tables of the schema backfill belong to", " TO " + role},
			{"ledger", checkup.Fail, "DROP SCHEMA backfill CASCADE", "may not make the schema backfill", "CREATE SCHEMA backfill AUTHORIZATION " + role},
			{"signals", checkup.Warn, "", "does not see", "GRANT pg_read_all_stats TO " + role},
			{"timeouts", checkup.Warn, "ALTER ROLE " + role + " SET statement_timeout = '5s'", "statement_timeout = 5000 ms", "ALTER ROLE " + role},
			{"writable", checkup.Fail, "ALTER ROLE " + role + " SET default_transaction_read_only = on", "read only by default", "ALTER ROLE " + role},
			{"strings", checkup.Fail, "ALTER ROLE " + role + " SET standard_conforming_strings = off", "backslash", "standard_conforming_strings = on"},
			{"timeouts", checkup.OK, "ALTER ROLE " + role + " RESET ALL; GRANT pg_read_all_stats TO " + role, "none of the role", ""},
			{"signals", checkup.OK, "", "the role sees", ""},
			{"connections", checkup.Warn, "ALTER ROLE " + role + " CONNECTION LIMIT 6", "the role may have 6, 4 workers", "CONNECTION LIMIT -1"},
			{"connections", checkup.OK, "ALTER ROLE " + role + " CONNECTION LIMIT 7", "4 workers need one each", ""},
			{"connection", checkup.Fail, "REVOKE CONNECT ON DATABASE " + address.Path[1:] + " FROM PUBLIC", "permission denied for database", "check user, password and database"},
		} {
			if c.sql != "" {
				db.Exec(t, c.sql)
			}
			e := examiner(t, b, login)
			expect(t, e, c.name, c.state, c.text, c.remedy)
			e.Session.(*postgres.Session).Drop() // its connection counts
		}
		address.Host = "127.0.0.1:1"
		expect(t, examiner(t, b, address.String()), "connection", checkup.Fail, "connect to database", "check SubnetIds and SecurityGroupIds")
		address = urlOf(t, db)
		crowded := examiner(t, b, address.String())
		crowded.Workers = 100_000
		expect(t, crowded, "connections", checkup.Warn, "100000 workers", "lower WorkerConcurrency")
		ascii := db.Encoded(t, "SQL_ASCII")
		expect(t, examiner(t, b, ascii.URL), "encoding", checkup.Fail, "SQL_ASCII", "UTF8")
	})
}

// TestAPoolerIsTold, with its keepalives where Postgres does not end a batch by itself.
func TestAPoolerIsTold(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		state, remedy := checkup.Warn, "tcp_keepidle"
		if db.Major >= "17" {
			state, remedy = checkup.OK, ""
		}
		expect(t, examiner(t, runtest.On(t, db), pgtest.NewPooler(t, db, 2).URL), "connection", state, "through a pooler", remedy)
	})
}

// TestWhatTheServerIsBusyWith: transactions that are prepared, or open for long, and slots that nobody reads.
func TestWhatTheServerIsBusyWith(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		db := cluster.New(t, like, "max_prepared_transactions=2", "wal_level=logical", "autovacuum=off").Database()
		e := examiner(t, runtest.On(t, db), db.URL)
		db.Exec(t, "SELECT pg_create_logical_replication_slot('left', 'test_decoding')")
		expect(t, e, "slots", checkup.Warn, "'left' (", "pg_drop_replication_slot")
		expect(t, e, "wal", checkup.OK, "wal_level is logical; 1 logical slots", "")
		expect(t, e, "autovacuum", checkup.Warn, "it is off", "autovacuum = on")
		expect(t, e, "prepared", checkup.OK, "no prepared", "")
		expect(t, e, "transactions", checkup.OK, "none is open", "")
	})
}

func urlOf(t *testing.T, db pgtest.Database) *url.URL {
	t.Helper()
	address, err := url.Parse(db.URL)
	must(t, err)
	return address
}

// examiner has a connection of its own, so that it has the role's settings of this moment.
func examiner(t *testing.T, b *runtest.Bench, login string) checkup.Examiner {
	t.Helper()
	session := postgres.NewSession(credentials.Fixed(login), "test")
	t.Cleanup(session.Drop)
	return checkup.Examiner{Session: session, Records: b.Records, Schema: ledger.Version, Workers: 4}
}

func expect(t *testing.T, e checkup.Examiner, name, state, text, remedy string) {
	t.Helper()
	report := e.Examine(t.Context())
	for _, check := range report.Checks {
		if check.Name == name {
			if check.State != state || !strings.Contains(check.Text, text) || !strings.Contains(check.Remedy, remedy) {
				t.Errorf("%+v, want %s: %s; %s", check, state, text, remedy)
			}
			return
		}
	}
	t.Errorf("no check %s in %+v", name, report)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
