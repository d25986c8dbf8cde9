// Package pgtest gives tests a fresh database on real Postgres servers of several major versions.
//
// It owns the databases that it creates and drops; the servers are started by `make test` (or by hand) and named in
// the environment: BACKFILL_TEST_POSTGRES="15=postgres://... 18=postgres://...". Only tests import it.
package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Servers is the variable that names the servers.
const Servers = "BACKFILL_TEST_POSTGRES"

var databases atomic.Int64

// Database is an empty database of one test.
type Database struct {
	Major string
	URL   string
}

// Each runs the test once per server, in a fresh database each, in parallel.
func Each(t *testing.T, test func(t *testing.T, db Database)) {
	t.Helper()
	for major, server := range servers(t) {
		t.Run("postgres"+major, func(t *testing.T) {
			t.Parallel()
			test(t, create(t, major, server, ""))
		})
	}
}

// OnNewest is Each for the newest server alone: for one of many cases whose SQL is the same for every version.
func OnNewest(t *testing.T, test func(t *testing.T, db Database)) {
	t.Helper()
	t.Run("newest", func(t *testing.T) {
		t.Parallel()
		test(t, Newest(t))
	})
}

// Newest gives a fresh database on the newest server, for tests that do not depend on the version.
func Newest(t testing.TB) Database {
	t.Helper()
	all := servers(t)
	return create(t, newest(all), all[newest(all)], "")
}

// IsNewest tells whether the database is on the newest server, for tests of which each server has another part.
func (d Database) IsNewest(t testing.TB) bool {
	t.Helper()
	return d.Major == newest(servers(t))
}

func newest(all map[string]string) (major string) {
	for of := range all {
		major = max(major, of)
	}
	return major
}

// Encoded gives a fresh database of another encoding on the same server.
func (d Database) Encoded(t testing.TB, encoding string) Database {
	t.Helper()
	return create(t, d.Major, d.URL, " TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING "+encoding)
}

// Connect opens a connection that is closed with the test.
func (d Database) Connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), d.URL)
	if err != nil {
		t.Fatalf("connect to test database: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Exec runs SQL, several statements at once if need be, and fails the test on an error.
func (d Database) Exec(t testing.TB, sql string) {
	t.Helper()
	if _, err := d.Connect(t).PgConn().Exec(context.Background(), sql).ReadAll(); err != nil {
		t.Fatalf("exec %q: %v", sql, err)
	}
}

// List runs a script, several statements at once if need be, and gives the rows of all their answers: the columns of each with | between them.
func List(t testing.TB, conn *pgx.Conn, script string) (rows []string) {
	t.Helper()
	results, err := conn.PgConn().Exec(context.Background(), script).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	for _, result := range results {
		for _, row := range result.Rows {
			rows = append(rows, string(bytes.Join(row, []byte("|"))))
		}
	}
	return rows
}

// WaitUntil polls a condition of the database, with a deadline.
func WaitUntil(t testing.TB, conn *pgx.Conn, condition string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for met := false; !met; {
		if err := conn.QueryRow(context.Background(), condition).Scan(&met); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("never true: %s", condition)
		}
	}
}

func servers(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, entry := range strings.Fields(os.Getenv(Servers)) {
		major, address, ok := strings.Cut(entry, "=")
		if !ok {
			t.Fatalf("%s: %q is not MAJOR=URL", Servers, entry)
		}
		all[major] = address
	}
	if len(all) == 0 {
		t.Fatalf("%s is not set: run the tests by `make test`, which starts the servers", Servers)
	}
	return all
}

func create(t testing.TB, major, server, options string) Database {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), databases.Add(1))
	admin(t, server, "CREATE DATABASE "+name+options)
	// A role named backfill would find the product's schema by "$user" before public.
	admin(t, server, "ALTER DATABASE "+name+" SET search_path = public")
	t.Cleanup(func() { admin(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	address, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", Servers, err)
	}
	address.Path = "/" + name
	return Database{Major: major, URL: address.String()}
}

func admin(t testing.TB, server, sql string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), server)
	if err != nil {
		t.Fatalf("connect to %s server: %v", Servers, err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
