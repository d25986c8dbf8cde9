package faults

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"backfill/internal/faults/host"
	"backfill/internal/pgtest"
)

// TestACommandLeavesNoConnection behind: the environment that has answered it rests for minutes, and as many as answered at once would keep from users what the
// server has for all. Where nothing is left for a command, it says so.
func TestACommandLeavesNoConnection(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 2})
	a := s.start(t, counters(t, db))
	a.completes(t)
	for _, action := range []string{`{"action":"tune","run":%q,"rate":100}`, `{"action":"chunks","run":%q}`, `{"action":"report","run":%q}`} {
		if _, err := s.control.Invoke(t.Context(), fmt.Appendf(nil, action, a.id)); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.WaitUntil(t, db.Connect(t), "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'backfill control' AND datname = current_database()")

	role := unique("crowded")
	db.Exec(t, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'x' CONNECTION LIMIT 0", role))
	t.Cleanup(func() { db.Exec(t, "DROP ROLE "+role) })
	for _, d := range s.doors {
		address, err := url.Parse(d.postgres.URL)
		must(t, err)
		address.User = url.UserPassword(role, "x")
		d.Kill()
		d.Variables["DATABASE_URL"] = address.String()
	}
	_, err := s.control.Invoke(t.Context(), fmt.Appendf(nil, `{"action":"tune","run":%q,"rate":100}`, a.id))
	var failed *host.Failure
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "Backfill.Transient") || !strings.Contains(err.Error(), "SQLSTATE 53300") {
		t.Fatalf("where the server has no connection: %v", err)
	}
}
