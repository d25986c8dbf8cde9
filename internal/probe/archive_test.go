package probe_test

import (
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/probe"
	"backfill/internal/signal"
)

const unarchived = "unarchived_wal_bytes"

// TestAnArchiveThatFails, from the beginning and later on: what waits grows, and falls when it works again.
func TestAnArchiveThatFails(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		server := cluster.New(t, like, "archive_mode=on")
		db := server.Database()
		conn := setup(t, db)
		if _, readings := take(t, conn, probe.Sample{}); readings[unarchived].Value != nil || readings[unarchived].Missing != "nothing was archived since statistics began" {
			t.Errorf("nothing is known yet, and %s", readings[unarchived])
		}
		archive(t, db, "false")
		readings := until(t, conn, func(readings map[string]signal.Reading) bool {
			segment(t, db)
			return above(unarchived, 3*16<<20)(readings)
		})
		before := *readings[unarchived].Value
		archive(t, db, "true")
		until(t, conn, func(readings map[string]signal.Reading) bool {
			r := readings[unarchived]
			return r.Value != nil && *r.Value < before/2 && *r.Value <= 16<<20
		})
		archive(t, db, "false")
		until(t, conn, func(readings map[string]signal.Reading) bool {
			segment(t, db)
			return above(unarchived, 3*16<<20)(readings)
		})
	})
}

func archive(t *testing.T, db pgtest.Database, command string) {
	t.Helper()
	conn := db.Connect(t)
	for _, sql := range []string{"ALTER SYSTEM SET archive_command = '" + command + "'", "SELECT pg_reload_conf()"} {
		_, err := conn.Exec(t.Context(), sql)
		must(t, err)
	}
}

// segment fills one up, as far as the archiver can tell.
func segment(t *testing.T, db pgtest.Database) {
	t.Helper()
	db.Exec(t, "UPDATE users SET n = n + 1; SELECT pg_switch_wal()")
}
