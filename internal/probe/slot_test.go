package probe_test

import (
	"net"
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/probe"
	"backfill/internal/signal"
)

// TestSlots: one that nobody reads keeps WAL, be it logical or a standby's that is gone; a standby that is there counts once; and a
// slot that is lost keeps nothing any more.
func TestSlots(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		primary := cluster.New(t, like, "wal_level=logical")
		db := primary.Database()
		conn := setup(t, db)
		db.Exec(t, "SELECT pg_create_logical_replication_slot('unread', 'test_decoding'), pg_create_physical_replication_slot('eu', true)")
		standby := primary.Standby(t, "eu", "primary_slot_name=eu")
		write := "INSERT INTO users SELECT g, g FROM generate_series((SELECT max(id) + 1 FROM users), (SELECT max(id) + 20000 FROM users)) g"
		db.Exec(t, write)
		readings := until(t, conn, above("slot_lag_bytes unread", 1_000_000))
		if r, there := readings["slot_lag_bytes eu"]; there || readings[key(bytesOfEU)].Value == nil {
			t.Errorf("the standby that is there counts by its slot: %s", r)
		}
		standby.Stop()
		pgtest.WaitUntil(t, db.Connect(t), "SELECT active_pid IS NULL FROM pg_replication_slots WHERE slot_name = 'eu'")
		db.Exec(t, write)
		readings = until(t, conn, above("slot_lag_bytes eu", 1_000_000))
		if r, there := readings[key(bytesOfEU)]; there {
			t.Errorf("the standby that is gone: %s", r)
		}
		db.Exec(t, "SELECT pg_logical_slot_get_changes('unread', NULL, NULL)")
		if _, readings = take(t, conn, probe.Sample{}); *readings["slot_lag_bytes unread"].Value > 100_000 {
			t.Errorf("it was read: %s", readings["slot_lag_bytes unread"])
		}
		lose(t, db)
		_, readings = take(t, conn, probe.Sample{})
		for _, slot := range []string{"unread", "eu"} {
			if r, there := readings["slot_lag_bytes "+slot]; there {
				t.Errorf("it is lost: %s", r)
			}
		}
	})
}

// lose has the server throw away the WAL that the slots keep.
func lose(t *testing.T, db pgtest.Database) {
	t.Helper()
	conn := db.Connect(t)
	for _, sql := range []string{"ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()"} {
		_, err := conn.Exec(t.Context(), sql)
		must(t, err)
	}
	for range 4 {
		for _, sql := range []string{"CREATE TABLE IF NOT EXISTS filler (n int)", "INSERT INTO filler VALUES (1)", "SELECT pg_switch_wal()", "CHECKPOINT"} {
			_, err := conn.Exec(t.Context(), sql)
			must(t, err)
		}
	}
	pgtest.WaitUntil(t, conn, "SELECT bool_and(wal_status = 'lost') FROM pg_replication_slots")
}

// TestASubscriber counts its bytes once, by its slot; its seconds are a standby's.
func TestASubscriber(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		source, target := cluster.New(t, like, "wal_level=logical"), cluster.New(t, like)
		db := source.Database()
		conn := setup(t, db)
		db.Exec(t, "CREATE PUBLICATION all_tables FOR TABLE users")
		subscriber := target.Database()
		_, port, _ := net.SplitHostPort(source.Address())
		subscriber.Exec(t, "CREATE TABLE users (id int PRIMARY KEY, n int)")
		_, err := subscriber.Connect(t).Exec(t.Context(), "CREATE SUBSCRIPTION copy CONNECTION 'host=127.0.0.1 port="+port+" user=app dbname=app' PUBLICATION all_tables")
		must(t, err)
		readings := until(t, conn, func(readings map[string]signal.Reading) bool {
			return readings["replica_lag_seconds copy"].Value != nil && readings["slot_lag_bytes copy"].Value != nil
		})
		if r, there := readings["replica_lag_bytes copy"]; there {
			t.Errorf("counted twice: %s", r)
		}
	})
}
