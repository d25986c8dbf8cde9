package pgtest

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// starting bounds the wait for a pooler that starts.
const starting = 20 * time.Second

// unprivileged runs a pooler when the tests are root: PgBouncer refuses to be.
const unprivileged = "nobody"

// Start starts it at its address, and waits until it leads to the server.
func (p *Pooler) Start(t testing.TB) {
	t.Helper()
	log, err := os.Create(filepath.Join(p.folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.command = exec.Command(os.Getenv(PgBouncer), "pgbouncer.ini")
	p.command.Dir, p.command.Stdout, p.command.Stderr = p.folder, log, log
	p.command.SysProcAttr = &syscall.SysProcAttr{Credential: p.account, Pdeathsig: syscall.SIGKILL}
	if p.ended, err = Launch(p.command); err != nil {
		t.Fatalf("start PgBouncer: %v", err)
	}
	p.await(t)
}

func (p *Pooler) await(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), starting)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.URL)
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-p.ended:
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
			continue
		}
		log, _ := os.ReadFile(filepath.Join(p.folder, "log"))
		t.Fatalf("PgBouncer takes no connections: %v\n%s", err, log)
	}
}

// Stop ends it at once, as a crash would: connections of both sides are cut.
func (p *Pooler) Stop() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// account is who runs PgBouncer; nil: we ourselves.
func account(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	found, err := user.Lookup(unprivileged)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(found.Uid, 10, 32)
	gid, _ := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
