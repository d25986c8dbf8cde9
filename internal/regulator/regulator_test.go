package regulator_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"backfill/internal/change"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/regulator"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/signal"
	"backfill/internal/throttle"

	"github.com/jackc/pgx/v5"
)

// bundle is a database with two runs, of which the first wants at most one session to wait for a lock.
type bundle struct {
	db        pgtest.Database
	conn      *pgx.Conn
	regulator regulator.Regulator
	ledger    *ledger.Ledger
}

func setup(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	b := &bundle{db: db, conn: db.Connect(t)}
	b.regulator, b.ledger = another(t, db)
	must(t, b.ledger.Migrate(t.Context()))
	db.Exec(t, "CREATE TABLE users (id int PRIMARY KEY, n int); INSERT INTO users VALUES (1, 1)")
	strict := runtest.Unlimited() // the server is shared with other tests
	strict[signal.LockWaiters] = 1
	for id, limits := range map[string]signal.Limits{"one": strict, "two": runtest.Unlimited()} {
		_, err := b.ledger.Open(t.Context(), ledger.Run{Run: id, Backfill: "test", Change: change.Change{Kind: change.Set, Throttle: limits,
			Table: change.Table{Schema: "public", Name: id}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: 100}})
		must(t, err)
	}
	return b
}

// another is the regulator of another governor.
func another(t *testing.T, db pgtest.Database) (regulator.Regulator, *ledger.Ledger) {
	session := postgres.NewSession(credentials.Fixed(db.URL), "governor")
	t.Cleanup(session.Drop)
	entries := ledger.New(session, ledger.Terms{})
	return regulator.Regulator{Session: session, Ledger: entries}, entries
}

func (b *bundle) regulate(t *testing.T, id string, speed float64) run.Throttle {
	t.Helper()
	got, err := b.regulator.Regulate(t.Context(), id, speed)
	must(t, err)
	return got
}

func (b *bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := b.conn.Exec(t.Context(), sql, args...)
	must(t, err)
}

// later lets the time of a decision come, as the clock would.
func (b *bundle) later(t *testing.T) {
	t.Helper()
	b.exec(t, "UPDATE backfill.throttle SET decided_at = decided_at - interval '2 s'")
}

// wait has users wait for a row's lock; the function lets them go.
func (b *bundle) wait(t *testing.T, users int) (release func()) {
	t.Helper()
	holder, err := b.db.Connect(t).Begin(t.Context())
	must(t, err)
	_, err = holder.Exec(t.Context(), "UPDATE users SET n = 0")
	must(t, err)
	var group sync.WaitGroup
	for range users {
		conn := b.db.Connect(t)
		group.Go(func() { _, _ = conn.Exec(context.Background(), "UPDATE users SET n = n + 1") })
	}
	pgtest.WaitUntil(t, b.conn, "SELECT count(*) >= "+string(rune('0'+users))+" FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
	return func() { must(t, holder.Rollback(context.Background())); group.Wait() }
}

// TestTroubleSlowsEveryRun, by the strictest limit among them, whoever's governor decides; the reason and the signals are there
// for both. Workers hear of it.
func TestTroubleSlowsEveryRun(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		if got := b.regulate(t, "one", 3000); got.Rate != nil || got.Reason != "" || len(got.Signals) < 8 {
			t.Errorf("before: %+v", got)
		}
		release := b.wait(t, 3)
		defer release()
		b.later(t)
		got := b.regulate(t, "two", 5000)
		if got.Rate == nil || *got.Rate < 3900 || *got.Rate > 4100 || !strings.Contains(got.Reason, "slowed to 4,") || !strings.Contains(got.Reason, "lock_waiters") {
			t.Fatalf("%+v", got)
		}
		if beside := b.regulate(t, "one", 3000); *beside.Rate != *got.Rate || beside.Reason != got.Reason || len(beside.Signals) != len(got.Signals) {
			t.Errorf("the other run says %+v", beside)
		}
		var limited bool
		must(t, b.conn.QueryRow(t.Context(), "SELECT backfill.limited('one')").Scan(&limited))
		if !limited {
			t.Error("workers do not hear of it")
		}
	})
}

// TestOneDecisionAtATime, of however many governors.
func TestOneDecisionAtATime(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.exec(t, `CREATE TABLE decisions (n serial); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO decisions DEFAULT VALUES; RETURN new; END $$;
			CREATE TRIGGER note AFTER UPDATE OF decided_at ON backfill.throttle FOR EACH ROW EXECUTE FUNCTION note()`)
		var group sync.WaitGroup
		for range 8 {
			other, _ := another(t, db)
			group.Go(func() {
				if _, err := other.Regulate(t.Context(), "one", 10); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		var n int
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM decisions").Scan(&n))
		if n != 1 {
			t.Errorf("%d decisions", n)
		}
	})
}

// TestSignalsThatCannotBeReadNeverMakeItFaster: the whole probe fails.
func TestSignalsThatCannotBeReadNeverMakeItFaster(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.regulate(t, "one", 3000)
		b.later(t)
		b.regulator.Session = broken{}
		if got := b.regulate(t, "one", 3000); got.Rate == nil || *got.Rate != 3000 || got.Reason != "held at 3,000 rows/s: no signal can be read" {
			t.Fatalf("%+v", got)
		}
	})
}

// broken is a database that cannot be measured.
type broken struct{}

func (broken) Conn(context.Context) (*pgx.Conn, error) { return nil, context.DeadlineExceeded }

// TestAMetricOfADefinition slows every run, is named in the reason, and is missed when it gives nothing any more; but not when
// its run has ended.
func TestAMetricOfADefinition(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.exec(t, "CREATE TABLE jobs (n float8)")
		b.exec(t, "INSERT INTO jobs VALUES (10)")
		_, err := b.ledger.Open(t.Context(), ledger.Run{Run: "three", Backfill: "test", Change: change.Change{Kind: change.Set, Throttle: runtest.Unlimited(),
			Metrics: []signal.Metric{{Name: "queue_depth", Query: "SELECT sum(n) FROM jobs", Limit: 100, Unit: "jobs"}},
			Table:   change.Table{Schema: "public", Name: "three"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: 100}})
		must(t, err)
		if got := b.regulate(t, "one", 5000); got.Rate != nil || got.Signals[len(got.Signals)-1].String() != "queue_depth 10 of 100 jobs" {
			t.Fatalf("%+v", got)
		}
		b.exec(t, "UPDATE jobs SET n = 150")
		b.later(t)
		if got := b.regulate(t, "one", 5000); got.Rate == nil || *got.Rate > 3200 || !strings.Contains(got.Reason, "slowed to 3,166 rows/s: queue_depth 150 of 100 jobs") {
			t.Fatalf("%+v", got)
		}
		b.exec(t, "DELETE FROM jobs")
		b.later(t)
		if got := b.regulate(t, "one", 5000); !strings.HasSuffix(got.Reason, ": queue_depth: its query gives NULL; it was read before") {
			t.Fatalf("%+v", got)
		}
		b.exec(t, "UPDATE backfill.runs SET ended_at = clock_timestamp() WHERE run = 'three'")
		b.later(t)
		if got := b.regulate(t, "one", 5000); strings.Contains(got.Reason, "queue_depth") {
			t.Fatalf("its run has ended: %+v", got)
		}
	})
}

// alarms are those of a CloudWatch that says so.
type alarms float64

func (a alarms) Readings(_ context.Context, limits signal.Limits) []signal.Reading {
	value := float64(a)
	reading, _ := limits.Read(signal.Alarm, "disk", &value)
	return []signal.Reading{reading}
}

// TestAnAlarmSlowsEveryRun that has not set it off; where the database cannot be read it does not count as the only signal.
func TestAnAlarmSlowsEveryRun(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db)
	b.exec(t, "UPDATE backfill.runs SET change = (change::jsonb #- '{throttle,alarm}')::json WHERE run = 'two'")
	b.regulator.Alarms = alarms(0)
	b.regulate(t, "one", 3000)
	b.later(t)
	b.regulator.Alarms = alarms(1)
	if got := b.regulate(t, "one", 3000); got.Rate == nil || *got.Rate != 1500 || got.Reason != "slowed to 1,500 rows/s: alarm disk is ALARM" {
		t.Fatalf("%+v", got)
	}
	b.later(t)
	b.regulator.Session = broken{}
	if got := b.regulate(t, "one", 1500); got.Reason != "held at 1,500 rows/s: no signal can be read" {
		t.Fatalf("%+v", got)
	}
}

// TestWhatWasTakenAheadKeepsItsLength when the rate changes.
func TestWhatWasTakenAheadKeepsItsLength(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		state, err := json.Marshal(throttle.State{Rate: 1000, Peak: 1000, Rising: true})
		must(t, err)
		b.regulate(t, "one", 1000)
		b.exec(t, "UPDATE backfill.throttle SET rate = 1000, law = $1", string(state))
		b.exec(t, "UPDATE backfill.shares SET tokens = -2000, asked_at = clock_timestamp()")
		release := b.wait(t, 3)
		defer release()
		b.later(t)
		if got := b.regulate(t, "one", 1000); got.Rate == nil || *got.Rate != 500 {
			t.Fatalf("%+v", got)
		}
		var tokens float64
		must(t, b.conn.QueryRow(t.Context(), "SELECT tokens FROM backfill.shares WHERE run = 'one'").Scan(&tokens))
		if tokens != -1000 {
			t.Errorf("%f", tokens)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestALimitThatIsTunedActs with the next decision, as if it were the definition's.
func TestALimitThatIsTunedActs(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		tune := func(limit *float64) {
			_, err := b.ledger.Tune(t.Context(), "one", ledger.Tuning{Limits: map[signal.Name]*float64{signal.LockWaiters: limit}})
			must(t, err)
			b.later(t)
		}
		release := b.wait(t, 3)
		defer release()
		off, two := float64(signal.Off), 2.0
		tune(&off)
		if got := b.regulate(t, "one", 3000); got.Rate != nil {
			t.Errorf("off: %+v", got)
		}
		tune(&two)
		if got := b.regulate(t, "two", 3000); got.Rate == nil || !strings.Contains(got.Reason, "lock_waiters 3 of 2 sessions") {
			t.Errorf("two: %+v", got)
		}
		tune(nil)
		if got := b.regulate(t, "one", 3000); !strings.Contains(got.Reason, "lock_waiters 3 of 1 sessions") {
			t.Errorf("the definition's: %+v", got)
		}
	})
}
