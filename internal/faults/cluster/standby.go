package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"backfill/internal/pgtest"
)

// Standby makes and starts a server that streams from this one under a name, with settings of its own. Its base is copied file by
// file, as pg_basebackup does, which not every installation has.
func (c *Cluster) Standby(t testing.TB, name string, settings ...string) *Cluster {
	t.Helper()
	source := fmt.Sprintf("primary_conninfo=host=127.0.0.1 port=%d user=%s application_name=%s", c.port, role, name)
	s := &Cluster{Major: c.Major, programs: c.programs, account: c.account, beside: c.beside, settings: append([]string{source}, settings...)}
	s.house(t)
	conn := c.database("postgres").Connect(t)
	if _, err := conn.Exec(t.Context(), "SELECT pg_backup_start('standby', true)"); err != nil {
		t.Fatalf("begin a backup: %v", err)
	}
	if output, err := s.copied(c.data); err != nil {
		t.Fatalf("copy the primary's files: %v\n%s", err, output)
	}
	var label string
	if err := conn.QueryRow(t.Context(), "SELECT labelfile FROM pg_backup_stop(false)").Scan(&label); err != nil {
		t.Fatalf("end the backup: %v", err)
	}
	for file, content := range map[string]string{"backup_label": label, "standby.signal": ""} {
		path := filepath.Join(s.data, file)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s.own(t, path)
	}
	s.Start(t)
	t.Cleanup(s.end)
	pgtest.WaitUntil(t, conn, "SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '"+name+"'")
	return s
}

// copied copies the data of a server that is at work: files may go meanwhile, which is cp's exit code 1. What is of the
// primary alone is removed.
func (c *Cluster) copied(from string) ([]byte, error) {
	script := `cp -a "$1" "$2" || test $? = 1; rm -rf "$2"/postmaster.* "$2"/pg_replslot/*`
	return c.owned(exec.Command("/bin/sh", "-c", script, "sh", from, c.data)).CombinedOutput()
}
