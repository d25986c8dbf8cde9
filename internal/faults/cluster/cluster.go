// Package cluster is a Postgres server of a test's own: one that may crash, refuse to write, run out of disk, or come
// back at another address.
//
// It owns the server's processes, data and port, and ends them with the test. It takes the programs, the account that runs
// them, and the place of its data from a server that is there already (pgtest). Invariant: what was committed survives
// whatever is done to it; only the machine itself must not crash, for nothing is flushed to disk.
package cluster

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"backfill/internal/pgtest"
)

// role is the superuser, and the database it connects to.
const role = "app"

// settings: no socket, for its path may be too long; little memory, for several servers run side by side.
var settings = []string{
	"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=32MB", "max_connections=60",
	"log_min_messages=panic", "restart_after_crash=on",
}

// Cluster is one server.
type Cluster struct {
	Major    string
	programs string
	account  *syscall.Credential // nil: our own
	beside   string              // where homes are: beside the data of the server that is there
	home     string
	data     string
	port     int
	server   *server
	settings []string // beside those of all
}

// New makes and starts a server of the version that the database is on, with settings of its own, as "archive_mode=on".
func New(t testing.TB, like pgtest.Database, settings ...string) *Cluster {
	t.Helper()
	c := &Cluster{Major: like.Major, settings: settings}
	c.learn(t, like)
	c.house(t)
	c.fill(t)
	c.Start(t)
	t.Cleanup(c.end)
	return c
}

// house makes the folder that all is in.
func (c *Cluster) house(t testing.TB) {
	t.Helper()
	home, err := os.MkdirTemp(c.beside, "faults-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	c.home, c.data = home, filepath.Join(home, "data")
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	c.own(t, home)
}

// learn asks a server for its programs, and who may run them: Postgres refuses to be root.
func (c *Cluster) learn(t testing.TB, like pgtest.Database) {
	t.Helper()
	var data string
	err := like.Connect(t).QueryRow(t.Context(), `SELECT current_setting('data_directory'),
		(SELECT setting FROM pg_config WHERE name = 'BINDIR')`).Scan(&data, &c.programs)
	if err != nil {
		t.Fatalf("ask the test server for its programs: %v", err)
	}
	c.beside = filepath.Dir(data)
	found, err := os.Stat(data)
	if err != nil {
		t.Fatalf("the test server is not on this machine: %v", err)
	}
	if owner, ok := found.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		c.account = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
}

func (c *Cluster) own(t testing.TB, path string) {
	t.Helper()
	if c.account == nil {
		return
	}
	if err := os.Chown(path, int(c.account.Uid), int(c.account.Gid)); err != nil {
		t.Fatal(err)
	}
}

// Database is the one that tests use.
func (c *Cluster) Database() pgtest.Database { return c.database(role) }

func (c *Cluster) database(name string) pgtest.Database {
	return pgtest.Database{Major: c.Major, URL: fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", role, c.Address(), name)}
}

// Address is HOST:PORT.
func (c *Cluster) Address() string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(c.port)) }
