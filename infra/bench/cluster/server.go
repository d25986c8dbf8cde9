package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"backfill/internal/deadline"

	"github.com/jackc/pgx/v5"
)

// server is one Postgres.
type server struct {
	data     string
	programs string
	owner    owner
	port     int
	process  *exec.Cmd
}

// longest is how long a server may take to start: the standby replays what there is.
const longest = time.Minute

func (s *server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(s.programs, program), args...)
	c.Dir, c.SysProcAttr = filepath.Dir(s.data), s.owner.attributes()
	return c
}

// initialize makes the data folder. The collation is linguistic, as that of most databases.
func (s *server) initialize(ctx context.Context, password string) error {
	secret := s.data + ".password"
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return fmt.Errorf("write the servers' password: %w", err)
	}
	defer func() { _ = os.Remove(secret) }()
	if err := s.owner.give(secret); err != nil {
		return err
	}
	out, err := s.command(ctx, "initdb", "-D", s.data, "-U", role, "--auth=scram-sha-256", "--pwfile="+secret, "--no-sync",
		"--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// follow makes it a standby of the other.
func (s *server) follow(primary *server, password string) error {
	conf, err := os.OpenFile(filepath.Join(s.data, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(conf, "primary_conninfo = 'host=127.0.0.1 port=%d user=%s password=%s application_name=%s'\n",
			primary.port, role, password, name)
		err = errors.Join(err, conf.Close(), os.WriteFile(filepath.Join(s.data, "standby.signal"), nil, 0o600),
			s.owner.give(filepath.Join(s.data, "standby.signal")))
	}
	if err != nil {
		return fmt.Errorf("make a standby: %w", err)
	}
	return nil
}

func (s *server) start(ctx context.Context, settings map[string]string) error {
	port, err := free(ctx)
	if err != nil {
		return err
	}
	s.port = port
	args := []string{"-D", s.data, "-p", fmt.Sprint(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}
	for setting, value := range settings {
		args = append(args, "-c", setting+"="+value)
	}
	log, err := os.Create(s.data + ".log")
	if err != nil {
		return fmt.Errorf("make a server's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	s.process = s.command(context.WithoutCancel(ctx), "postgres", args...) // stop ends it in order
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		s.process = nil
		return fmt.Errorf("start a server: %w", err)
	}
	return nil
}

// free finds a port.
func free(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) url(password string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s", role, password, s.port, database)
}

// await connects as soon as the server takes connections.
func (s *server) await(ctx context.Context, password string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.url(password))
		if err == nil {
			return conn, nil
		}
		if !deadline.Rest(ctx, 100*time.Millisecond) {
			log, _ := os.ReadFile(s.data + ".log")
			return nil, fmt.Errorf("wait for a server: %w\n%s", err, log)
		}
	}
}

// stop ends it, whoever is connected.
func (s *server) stop() error {
	if s == nil || s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("stop a server: %w", err)
	}
	if err := s.process.Wait(); err != nil {
		return fmt.Errorf("stop a server: %w", err)
	}
	return nil
}
