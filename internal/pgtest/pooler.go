package pgtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// PgBouncer is the variable that says where its program is.
const PgBouncer = "BACKFILL_TEST_PGBOUNCER"

// Pooler is a PgBouncer in transaction mode. Behind it are all databases of one server.
type Pooler struct {
	URL     string // of the database that it was made for
	Address string // HOST:PORT

	folder  string
	account *syscall.Credential
	command *exec.Cmd
	ended   <-chan struct{}
}

// NewPooler starts a pooler in front of the database's server until the test ends. Size is how many connections to the
// server it has for a database. Without PgBouncer the test is skipped.
func NewPooler(t testing.TB, db Database, size int) *Pooler {
	t.Helper()
	if os.Getenv(PgBouncer) == "" {
		t.Skipf("%s is not set: `make test` sets it where PgBouncer is installed, or apt-get can fetch it", PgBouncer)
	}
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "pooler-") // t.TempDir is closed to other accounts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	p := &Pooler{Address: freeAddress(), folder: folder, account: account(t)}
	p.configure(t, address, size)
	address.Host = p.Address
	p.URL = address.String()
	p.Start(t)
	t.Cleanup(func() { p.Stop() })
	return p
}

// configure writes PgBouncer's files. What is not set here is left at its default; but a server that did not answer is
// tried again after a second, not fifteen: tests restart servers.
func (p *Pooler) configure(t testing.TB, server *url.URL, size int) {
	t.Helper()
	password, protected := server.User.Password()
	authentication := "trust"
	if protected {
		authentication = "scram-sha-256"
	}
	host, port, _ := net.SplitHostPort(p.Address)
	p.write(t, "users", fmt.Sprintf("%q %q\n", server.User.Username(), password))
	p.write(t, "pgbouncer.ini", fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = %s
auth_file = users
pool_mode = transaction
default_pool_size = %d
server_login_retry = 1
%s
`, server.Hostname(), server.Port(), host, port, authentication, size, withoutStatements(t)))
}

// withoutStatements is the setting by which a version that can keep prepared statements (from 1.21 on) does not.
func withoutStatements(t testing.TB) string {
	t.Helper()
	output, err := exec.Command(os.Getenv(PgBouncer), "--version").Output()
	var major, minor int
	if _, scan := fmt.Sscanf(string(output), "PgBouncer %d.%d", &major, &minor); err != nil || scan != nil {
		t.Fatalf("ask PgBouncer for its version: %v, %q", err, output)
	}
	if major == 1 && minor < 21 {
		return ""
	}
	return "max_prepared_statements = 0"
}

func (p *Pooler) write(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(p.folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, owned := range []string{p.folder, path} {
		if p.account != nil && os.Chown(owned, int(p.account.Uid), int(p.account.Gid)) != nil {
			t.Fatalf("give %s to %s", owned, unprivileged)
		}
	}
}

// freeAddress is one that stays free while the pooler is down: below the ports that outgoing connections have.
func freeAddress() string {
	for {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000)))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
}
