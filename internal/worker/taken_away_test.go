package worker_test

import (
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
)

// takenAway is what somebody takes away between two batches of a chunk, and what its reason says.
var takenAway = map[string]struct{ by, reason string }{
	"a column":           {"ALTER TABLE counters DROP COLUMN n", `SQLSTATE 42703 (undefined_column): column "n" `},
	"the table":          {"DROP TABLE counters", `SQLSTATE 42P01 (undefined_table): relation "public.counters" does not exist`},
	"the right to write": {"REVOKE UPDATE ON counters FROM ", "SQLSTATE 42501 (insufficient_privilege): permission denied for table counters"},
	"the right to read":  {"REVOKE SELECT ON counters FROM ", "SQLSTATE 42501 (insufficient_privilege): permission denied for table counters"},
}

// TestWhatIsTakenAwayInTheMiddle fails the chunk at once, with the name of what is gone: neither time nor smaller batches help.
func TestWhatIsTakenAwayInTheMiddle(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		for name, gone := range takenAway {
			t.Run(name, func(t *testing.T) {
				b := setup(t, db.Encoded(t, "UTF8"), c)
				role, login := b.lowly(t)
				if strings.HasSuffix(gone.by, " ") {
					gone.by += role
				}
				var failures atomic.Int64
				proxy, beside := pgtest.NewProxy(t, login), b.db.Connect(t)
				proxy.CutWhen(func(fromServer bool, kind byte) bool {
					if fromServer && kind == 'E' { // an error
						failures.Add(1)
					}
					if fromServer && kind == pgtest.ReadyForQuery && b.begun(t) && gone.by != "" {
						_, err := beside.Exec(t.Context(), gone.by)
						must(t, err)
						gone.by = ""
					}
					return false
				})
				must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(1)))
				if reason := b.expectLedger(t, chunk.Failed); !strings.Contains(reason, gone.reason) {
					t.Errorf("reason: %s", reason)
				}
				if n := failures.Load(); n != 1 {
					t.Errorf("%d errors", n)
				}
			})
		}
	})
}

// begun tells whether a batch of the chunk is committed.
func (b *bundle) begun(t *testing.T) (is bool) {
	t.Helper()
	must(t, b.conn.QueryRow(t.Context(), "SELECT coalesce(sum(affected), 0) > 0 FROM backfill.ledger").Scan(&is))
	return is
}

// lowly is a role that may do no more than a worker has to, and the database by its login.
func (b *bundle) lowly(t *testing.T) (role string, login pgtest.Database) {
	t.Helper()
	address, err := url.Parse(b.db.URL)
	must(t, err)
	role = strings.TrimPrefix(address.Path, "/")
	b.exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'lowly'")
	t.Cleanup(func() { b.db.Exec(t, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
	b.exec(t, "GRANT SELECT, UPDATE ON counters TO "+role+"; GRANT USAGE ON SCHEMA backfill TO "+role+
		"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA backfill TO "+role)
	address.User = url.UserPassword(role, "lowly")
	return role, pgtest.Database{Major: b.db.Major, URL: address.String()}
}
