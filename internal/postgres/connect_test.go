package postgres_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// gone is true when the server has ended a connection.
func gone(pid uint32) string {
	return fmt.Sprintf("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %d)", pid)
}

// TestTextDoesNotDependOnTheServersDefaults: keys travel as text, and are read back on another connection.
func TestTextDoesNotDependOnTheServersDefaults(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		admin, latin := db.Connect(t), db.Encoded(t, "LATIN1")
		for _, setting := range []string{"datestyle = 'SQL, DMY'", "timezone = 'Asia/Kathmandu'", "application_name = 'other'", "client_encoding = 'LATIN1'"} {
			must(t, exec(admin, fmt.Sprintf("ALTER DATABASE %s SET %s", databaseOf(t, db.URL), setting)))
		}
		for _, url := range []string{db.URL, latin.URL} {
			expectText(t, connect(t, url))
		}
	})
}

// TestSettingsHoldThroughAPooler: the one connection to the server was another client's before each transaction, which has
// settings of its own.
func TestSettingsHoldThroughAPooler(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for _, db := range []pgtest.Database{db, db.Encoded(t, "LATIN1")} {
			pooler := pgtest.NewPooler(t, db, 1)
			config, err := pgx.ParseConfig(pooler.URL)
			must(t, err)
			config.RuntimeParams = map[string]string{"datestyle": "SQL, DMY", "timezone": "Asia/Kathmandu", "application_name": "other", "client_encoding": "LATIN1"}
			config.DefaultQueryExecMode = pgx.QueryExecModeExec
			other, err := pgx.ConnectConfig(t.Context(), config)
			must(t, err)
			t.Cleanup(func() { _ = other.Close(context.Background()) })
			conn := connect(t, pooler.URL)
			for range 3 {
				var at, zone string
				must(t, other.QueryRow(t.Context(), "SELECT ('2026-02-01 00:30:00+00'::timestamptz)::text, current_setting('timezone')").Scan(&at, &zone))
				if at != "01/02/2026 06:15:00 +0545" || zone != "Asia/Kathmandu" {
					t.Fatalf("the other client reads %s in %s", at, zone)
				}
				expectText(t, conn)
			}
		}
	})
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), url, "test")
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// expectText demands the product's settings.
func expectText(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	var at, name, accent string
	must(t, conn.QueryRow(t.Context(), "SELECT ('2026-02-01 00:30:00.000001+05:45'::timestamptz)::text, "+
		"current_setting('application_name'), chr(233)").Scan(&at, &name, &accent))
	if at != "2026-01-31 18:45:00.000001+00" || name != "backfill test" || accent != "é" {
		t.Fatalf("%s by %s, %q", at, name, accent)
	}
}

// TestALoginThatIsRefused: neither time nor another try helps, but where the server has no room.
func TestALoginThatIsRefused(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		name := databaseOf(t, db.URL)
		role := db.Connect(t)
		must(t, exec(role, "CREATE ROLE "+name+" LOGIN PASSWORD 'marker' CONNECTION LIMIT 0"))
		t.Cleanup(func() { _ = exec(db.Connect(t), "DROP ROLE "+name) })
		for code, c := range map[string]struct {
			url   string
			class failure.Class
			says  string
		}{
			"28P01": {change(t, db.URL, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "marker") }),
				failure.Permanent, "password authentication failed"},
			"3D000": {change(t, db.URL, func(u *url.URL) { u.Path = "/nowhere" }), failure.Permanent, `database "nowhere" does not exist`},
			"53300": {change(t, db.URL, func(u *url.URL) { u.User = url.UserPassword(name, "marker") }),
				failure.Transient, "too many connections for role"},
			"42704": {change(t, db.URL, func(u *url.URL) { u.RawQuery += "&nonsense=1" }), failure.Permanent, `"nonsense"`},
		} {
			t.Run(code, func(t *testing.T) {
				_, err := postgres.Connect(t.Context(), c.url, "test")
				expectError(t, err, code, c.class)
				if safe := failure.Safe(err); !strings.Contains(safe, c.says) || !strings.Contains(safe, "connect to database") {
					t.Errorf("safe text %q", safe)
				}
			})
		}
	})
}

// TestALoginThatAPoolerRefuses: PgBouncer 1.18 has one SQLSTATE for all of its own errors, so only its text says that waiting
// does not help.
func TestALoginThatAPoolerRefuses(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	pooler := pgtest.NewPooler(t, db, 1)
	for says, address := range map[string]string{
		"authentication failed": change(t, pooler.URL, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "marker") }),
		`"nowhere"`:             change(t, pooler.URL, func(u *url.URL) { u.Path = "/nowhere" }),
		"startup parameter":     change(t, pooler.URL, func(u *url.URL) { u.RawQuery += "&search_path=x" }),
	} {
		_, err := postgres.Connect(t.Context(), address, "test")
		if safe := failure.Safe(err); !strings.Contains(safe, says) || strings.Contains(safe, "marker") {
			t.Errorf("safe text %q does not say %q", safe, says)
		}
	}
}

// TestAPoolerThatLosesItsServer: in the middle of a statement, without a word. That is about no row.
func TestAPoolerThatLosesItsServer(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	proxy := pgtest.NewProxy(t, db)
	conn := connect(t, pgtest.NewPooler(t, pgtest.Database{Major: db.Major, URL: proxy.URL}, 1).URL)
	proxy.Watch(func(m pgtest.Message) pgtest.Verdict {
		if m.FromServer && strings.Contains(m.SQL, "'lost'") {
			return pgtest.Cut
		}
		return pgtest.Pass
	})
	err := postgres.Classify(exec(conn, "SELECT 'lost'"))
	if !postgres.Raised(err, "08P01") || !failure.Is(err, failure.Unknown) || postgres.MetRows(err) {
		t.Errorf("got %v (%s), about rows: %v", err, failure.Of(err), postgres.MetRows(err))
	}
}

// TestAServerThatShutsDownDuringALogin: in use its end leaves the outcome open; here nothing was sent.
func TestAServerThatShutsDownDuringALogin(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t) // triggers on login are of Postgres 17
	db.Exec(t, `CREATE FUNCTION doom() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
		IF current_setting('application_name') = 'backfill doomed' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; END $$;
		CREATE EVENT TRIGGER doom ON login EXECUTE FUNCTION doom()`)
	_, err := postgres.Connect(t.Context(), db.URL, "doomed")
	expectError(t, err, "57P01", failure.Transient)
}

// TestAServerThatCannotBeReached: nothing was sent, so there is no outcome to doubt.
func TestAServerThatCannotBeReached(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	proxy := pgtest.NewProxy(t, db)
	proxy.CutWhen(func(fromServer bool, _ byte) bool { return fromServer })
	for name, address := range map[string]string{
		"nobody listens":     "postgres://app:marker@" + closedPort(t) + "/app",
		"no such host":       "postgres://app:marker@database.invalid/app",
		"it does not answer": "postgres://app:marker@" + silentPort(t) + "/app",
		"it hangs up":        proxy.URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := postgres.Connect(ctx, address, "test")
			if !failure.Is(err, failure.Transient) || strings.Contains(failure.Safe(err), "marker") {
				t.Fatalf("got %v (%s)", err, failure.Of(err))
			}
		})
	}
}

func TestAURLThatIsNone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"postgres://app:marker@host:port/db", "marker", "postgres://app:marker@host/db?sslmode=marker",
		"postgres://app:mar%ker@host/db", "host=h password=marker port=x"} {
		_, err := postgres.Connect(t.Context(), address, "test")
		if !failure.Is(err, failure.Invalid) || strings.Contains(err.Error(), "mar") {
			t.Errorf("%s: %v (%s)", address, err, failure.Of(err))
		}
	}
}

func change(t *testing.T, address string, edit func(*url.URL)) string {
	t.Helper()
	parsed, err := url.Parse(address)
	must(t, err)
	edit(parsed)
	return parsed.String()
}

func databaseOf(t *testing.T, address string) (name string) {
	t.Helper()
	change(t, address, func(u *url.URL) { name = strings.TrimPrefix(u.Path, "/") })
	return name
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

// silentPort is one that takes connections, and no more.
func silentPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}
