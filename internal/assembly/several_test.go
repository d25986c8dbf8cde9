package assembly

import (
	"errors"
	"slices"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/routing"
	"backfill/internal/settings"
)

// TestEachDatabaseHasItsOwn: what is made for one is made once, when it is asked for, over its own connections; Drop closes all of them.
func TestEachDatabaseHasItsOwn(t *testing.T) {
	t.Parallel()
	own, orders := pgtest.Newest(t), pgtest.Newest(t)
	stack, err := Open(t.Context(), "test several", settings.Shared{
		Database: settings.Database{URL: own.URL}, Table: "records", Lease: time.Minute, Heartbeat: time.Minute,
		Named: []settings.Named{{Name: "orders", Database: settings.Database{URL: orders.URL}}, {Name: "idle", Database: settings.Database{URL: "postgres://nowhere.invalid/idle"}}},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Drop()
	made := 0
	several := Build(stack, func(base Base) map[string]string {
		made++
		conn, err := base.Session.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		beside, err := base.Beside("test several reads").Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"name": base.Database, "connected": conn.Config().Database, "beside": beside.Config().Database}
	})
	for range 2 {
		for name, db := range map[string]pgtest.Database{"": own, "orders": orders} {
			got, err := several.For(name)
			want := db.Connect(t).Config().Database
			if err != nil || got["name"] != name || got["connected"] != want || got["beside"] != want {
				t.Errorf("%q: %v, %v, want %s", name, got, err, want)
			}
		}
	}
	if made != 2 || !slices.Equal(stack.Databases(), routing.Databases{"idle", "orders"}) {
		t.Errorf("made %d times for %v", made, stack.Databases())
	}
	if _, err := several.For("users"); !errors.Is(err, routing.ErrGone) || !failure.Is(err, failure.Permanent) {
		t.Error(err)
	}
	stack.Drop()
	for _, db := range []pgtest.Database{own, orders} {
		pgtest.WaitUntil(t, db.Connect(t), "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%test several%')")
	}
}
