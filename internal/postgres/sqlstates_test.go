package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
)

// raised has, for each entry of the table, a code under it that Postgres raises by itself, its class, and how.
var raised = map[string]struct {
	code    string
	class   failure.Class
	provoke func(t *testing.T, b *bundle) error
}{
	"08":    {"08P01", failure.Unknown, tooFewValues},
	"21000": {"21000", failure.Data, statements("UPDATE t SET n = (SELECT g FROM generate_series(1, 2) AS g)")},
	"22":    {"22012", failure.Data, statements("UPDATE t SET n = id / 0")},
	"23":    {"23P01", failure.Data, statements("CREATE TABLE x (during tsrange, EXCLUDE USING gist (during WITH &&))", "INSERT INTO x SELECT during FROM t, generate_series(1, 2) WHERE during IS NOT NULL")},
	"26000": {"26000", failure.Unknown, statements("EXECUTE gone")},
	"42P05": {"42P05", failure.Unknown, statements("PREPARE here AS SELECT 1", "PREPARE here AS SELECT 1")},
	"25006": {"25006", failure.Transient, statements("BEGIN READ ONLY", "UPDATE t SET n = 1")},
	"25P03": {"25P03", failure.Transient, rests("SET idle_in_transaction_session_timeout = '10ms'", "BEGIN")},
	"25P04": {"25P04", failure.Transient, statements("SET transaction_timeout = '10ms'", "BEGIN", "SELECT pg_sleep(60)")},
	"40":    {"40P01", failure.Transient, deadlock},
	"44":    {"44000", failure.Data, statements("UPDATE short SET secret = secret || 'twelve letters'")},
	"53":    {"53400", failure.Transient, noRoom},
	"55P03": {"55P03", failure.Transient, lockTimeout},
	"55006": {"55006", failure.Transient, inUse},
	"57014": {"57014", failure.Transient, statements("SET statement_timeout = '10ms'", "SELECT pg_sleep(60)")},
	"57P":   {"57P01", failure.Unknown, statements("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)")},
	"58":    {"58P01", failure.Transient, statements("SELECT pg_read_file('/nowhere')")},
}

// unprovoked are the entries that no statement makes Postgres raise, and why.
var unprovoked = map[string]string{
	"40003": "of two-phase commits of other systems", "57P04": "a standby whose primary drops the database",
	"BF001": "internal/ledger", "BF002": "internal/ledger", "BF003": "internal/ledger", "BF004": "internal/batch", "BF005": "internal/ledger", "BF006": "internal/batch",
}

// TestEachEntryOfTheTableIsRaised by Postgres itself, and has the class that the table says.
func TestEachEntryOfTheTableIsRaised(t *testing.T) {
	t.Parallel()
	for entry := range raised {
		if !slices.Contains(failure.SQLStates(), entry) {
			t.Errorf("%s is not in the table", entry)
		}
	}
	db := pgtest.Newest(t)
	for _, entry := range failure.SQLStates() {
		c, ok := raised[entry]
		switch {
		case !ok && unprovoked[entry] == "":
			t.Errorf("nothing raises %s", entry)
		case ok && (!strings.HasPrefix(c.code, entry) || unprovoked[entry] != ""):
			t.Errorf("%s is no code of %s, or both lists have it", c.code, entry)
		case ok:
			t.Run(entry, func(t *testing.T) {
				t.Parallel()
				own := db.Encoded(t, "UTF8") // a deadlock wants the rows alone
				b := setup(t, own)
				expectError(t, c.provoke(t, b), c.code, c.class)
			})
		}
	}
}

// statements raise the error at the last of them.
func statements(sql ...string) func(*testing.T, *bundle) error {
	return func(_ *testing.T, b *bundle) error { return exec(b.conn, sql...) }
}

// rests has the server end the session while it rests.
func rests(sql ...string) func(*testing.T, *bundle) error {
	return func(t *testing.T, b *bundle) error {
		must(t, exec(b.conn, sql...))
		pgtest.WaitUntil(t, b.db.Connect(t), gone(b.conn.PgConn().PID()))
		return exec(b.conn, "SELECT 1")
	}
}

// tooFewValues sends a message that the server cannot make sense of.
func tooFewValues(_ *testing.T, b *bundle) error {
	return b.conn.PgConn().ExecParams(context.Background(), "SELECT $1::int, $2::int", [][]byte{[]byte("1")}, nil, nil, nil).Read().Err
}
