package cluster

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// starting bounds the wait for a server: one that crashed recovers first.
const starting = time.Minute

// server is a server's first process.
type server struct {
	command *exec.Cmd
	ended   <-chan struct{}
}

// Start starts the server at its port (or a free one, the first time) and waits until it takes connections.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if c.port == 0 {
		c.port = free(t)
	}
	argv := []string{"-D", c.data, "-p", port(c)}
	for _, setting := range slices.Concat(settings, c.settings) {
		argv = append(argv, "-c", setting)
	}
	command := c.command("postgres", argv...)
	ended, err := pgtest.Launch(command)
	if err != nil {
		t.Fatalf("start a server: %v", err)
	}
	c.server = &server{command: command, ended: ended}
	c.await(t)
}

func port(c *Cluster) string {
	_, number, _ := net.SplitHostPort(c.Address())
	return number
}

func (c *Cluster) await(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), starting)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.database("postgres").URL)
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-ticker.C:
		case <-c.server.ended:
			t.Fatalf("the server ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("the server takes no connections: %v", err)
		}
	}
}

// Crash ends the server as `pg_ctl stop -m immediate` does: no checkpoint, no farewell.
func (c *Cluster) Crash() { c.server.end(syscall.SIGQUIT) }

// Stop ends the server as `pg_ctl stop` does, and waits until it has.
func (c *Cluster) Stop() { c.server.end(syscall.SIGINT) }

func (s *server) end(how syscall.Signal) {
	_ = s.command.Process.Signal(how)
	<-s.ended
}

func (c *Cluster) end() { c.server.end(syscall.SIGQUIT) }

// Move starts the data of a server that crashed in another folder and at another port, as a failover to a synchronous
// standby does: all that was committed is there, the old address is dead.
func (c *Cluster) Move(t testing.TB) {
	t.Helper()
	moved := filepath.Join(c.home, "data-"+port(c))
	if err := os.Rename(c.data, moved); err != nil {
		t.Fatal(err)
	}
	c.data, c.port = moved, 0
	c.Start(t)
}

// command is one of Postgres' programs.
func (c *Cluster) command(program string, argv ...string) *exec.Cmd {
	return c.owned(exec.Command(filepath.Join(c.programs, program), argv...))
}

// owned lets a command run as the account, in the home.
func (c *Cluster) owned(command *exec.Cmd) *exec.Cmd {
	command.Dir, command.Env = c.home, []string{"PATH=" + os.Getenv("PATH"), "LANG=C", "TZ=UTC"}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c.account, Pdeathsig: syscall.SIGQUIT}
	return command
}

func (c *Cluster) run(t testing.TB, program string, argv ...string) {
	t.Helper()
	if output, err := c.command(program, argv...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, output)
	}
}

func free(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
