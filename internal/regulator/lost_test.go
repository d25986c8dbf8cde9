package regulator_test

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/pgtest"
	"backfill/internal/regulator"
	"backfill/internal/signal"
	"backfill/internal/throttle"

	"github.com/jackc/pgx/v5"
)

// lossy is a database with one run, whose signals have a limit each, far away, and can be cut off one by one.
type lossy struct {
	*bundle
	line   *line
	clouds *clouds
}

// line is a connection to the database that may be slow, or cut.
type line struct {
	conn *pgx.Conn
	slow atomic.Bool
	cut  bool
}

func (l *line) Conn(context.Context) (*pgx.Conn, error) {
	if l.cut {
		return nil, context.DeadlineExceeded
	}
	return l.conn, nil
}

// wire delays what the server answers.
type wire struct {
	net.Conn
	slow *atomic.Bool
}

func (w wire) Write(b []byte) (int, error) {
	if w.slow.Load() {
		time.Sleep(1050 * time.Millisecond)
	}
	return w.Conn.Write(b)
}

// clouds are alarms that answer, or do not.
type clouds struct{ silent bool }

func (c *clouds) Readings(_ context.Context, limits signal.Limits) []signal.Reading {
	reading, _ := limits.Read(signal.Alarm, "disk", new(float64))
	if c.silent {
		reading.Value, reading.Missing = nil, "CloudWatch takes longer than a second"
	}
	return []signal.Reading{reading}
}

func losing(t *testing.T, db pgtest.Database) *lossy {
	t.Helper()
	l := &lossy{bundle: setup(t, db), line: &line{}, clouds: &clouds{}}
	limits := signal.Limits{}
	for _, name := range signal.Names() {
		limits[name] = 1e15 // the server is shared with other tests
	}
	text, err := json.Marshal(map[string]any{"throttle": limits, "metrics": []signal.Metric{{Name: "queue_depth", Query: "SELECT count(*) FROM jobs", Limit: 1e6}}})
	must(t, err)
	l.exec(t, "CREATE TABLE jobs (n int)")
	l.exec(t, "DELETE FROM backfill.runs WHERE run = 'two'")
	l.exec(t, "UPDATE backfill.runs SET change = $1 WHERE run = 'one'", string(text))
	l.login(t)
	l.regulator = regulator.Regulator{Session: l.line, Ledger: l.ledger, Alarms: l.clouds}
	return l
}

// login lets the governor be a role that is no superuser.
func (l *lossy) login(t *testing.T) {
	t.Helper()
	role := l.role()
	l.exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'few'")
	t.Cleanup(func() { l.db.Exec(t, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
	for _, sql := range []string{"GRANT USAGE ON SCHEMA backfill TO ", "GRANT SELECT ON backfill.runs TO ", "GRANT SELECT ON jobs TO ", "GRANT pg_read_all_stats TO "} {
		l.exec(t, sql+role)
	}
	address, err := url.Parse(l.db.URL)
	must(t, err)
	address.User = url.UserPassword(role, "few")
	config, err := pgx.ParseConfig(address.String())
	must(t, err)
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return wire{conn, &l.line.slow}, err
	}
	l.line.conn, err = pgx.ConnectConfig(t.Context(), config)
	must(t, err)
	t.Cleanup(func() { _ = l.line.conn.Close(context.Background()) })
}

func (l *lossy) role() string { return strings.Replace(l.conn.Config().Database, "test_", "few_", 1) }

// pass lets a beat go by, as the clock would: all that was noted is two seconds older.
func (l *lossy) pass(t *testing.T) {
	t.Helper()
	var text string
	must(t, l.conn.QueryRow(t.Context(), "SELECT law FROM backfill.throttle").Scan(&text))
	var state throttle.State
	must(t, json.Unmarshal([]byte(text), &state))
	state.Cut = state.Cut.Add(-throttle.Interval)
	for key, at := range state.Seen {
		state.Seen[key] = at.Add(-throttle.Interval)
	}
	aged, err := json.Marshal(state)
	must(t, err)
	l.exec(t, "UPDATE backfill.throttle SET law = $1, decided_at = decided_at - interval '2 s'", string(aged))
}

// beats makes decisions, and gives the rate after the last, the highest, and the last reason.
func (l *lossy) beats(t *testing.T, n int) (last, highest float64, reason string) {
	t.Helper()
	for range n {
		l.pass(t)
		got := l.regulate(t, "one", 1e6)
		if got.Rate == nil {
			t.Fatalf("without a limit: %+v", got)
		}
		last, highest, reason = *got.Rate, max(highest, *got.Rate), got.Reason
	}
	return last, highest, reason
}

// TestSignalsOfARealDatabaseLostForAMinute, in each way that there is, never raise the rate; when they are read again it rises.
func TestSignalsOfARealDatabaseLostForAMinute(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		l := losing(t, db)
		l.regulate(t, "one", 1000)
		l.exec(t, "UPDATE backfill.throttle SET law = (law::jsonb || '{\"rate\": 1000, \"peak\": 2000}')::text, rate = 1000")
		holder := db.Connect(t)
		const minute = 30
		for _, c := range []struct {
			way        string
			lose, mend func()
			beats      int
			reason     string
		}{
			{"rights", func() { l.exec(t, "REVOKE pg_read_all_stats FROM "+l.role()) }, func() { l.exec(t, "GRANT pg_read_all_stats TO "+l.role()) },
				minute, "active_sessions: the role may not read it"},
			{"a slow line", func() { l.line.slow.Store(true) }, func() { l.line.slow.Store(false) }, 3, "active_sessions is read 1."},
			{"a metric's table", func() { l.exec(t, "ALTER TABLE jobs RENAME TO gone") }, func() { l.exec(t, "ALTER TABLE gone RENAME TO jobs") },
				minute, "queue_depth: its query failed: SQLSTATE 42P01"},
			{"a metric's lock", func() { exec(t, holder, "BEGIN; LOCK jobs") }, func() { exec(t, holder, "ROLLBACK") }, 3, "queue_depth: its query takes longer than 500 ms"},
			{"an alarm", func() { l.clouds.silent = true }, func() { l.clouds.silent = false }, minute, "alarm disk: CloudWatch takes longer than a second"},
			{"the line", func() { l.line.cut = true }, func() { l.line.cut = false }, minute - 2, "no signal can be read"},
		} {
			before, _, reason := l.beats(t, 2)
			if !strings.HasPrefix(reason, "rising") {
				t.Fatalf("before %s: %s", c.way, reason)
			}
			c.lose()
			last, highest, reason := l.beats(t, c.beats)
			if highest > before || last != before || !strings.Contains(reason, c.reason) {
				t.Errorf("%s: from %.0f to %.0f, at most %.0f: %s", c.way, before, last, highest, reason)
			}
			if c.way == "the line" {
				if last, _, _ = l.beats(t, 10); last >= before || last < before/2 {
					t.Errorf("%s, for longer than a minute: from %.0f to %.0f", c.way, before, last)
				}
			}
			c.mend()
		}
		l.beats(t, 3)
		if _, _, reason := l.beats(t, 1); !strings.HasPrefix(reason, "rising") {
			t.Errorf("all is read again: %s", reason)
		}
	})
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	must(t, err)
}
