package cluster

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// ReadOnly makes every transaction read only, as on a standby; false makes an end of it.
func (c *Cluster) ReadOnly(t testing.TB, on bool) {
	t.Helper()
	value := "off"
	if on {
		value = "on"
	}
	c.set(t, "default_transaction_read_only", value)
}

// set changes a setting of the running server. Two statements of their own: ALTER SYSTEM takes no transaction, and
// works in a session that is read only.
func (c *Cluster) set(t testing.TB, name, value string) {
	t.Helper()
	conn := c.database("postgres").Connect(t)
	for _, sql := range []string{"ALTER SYSTEM SET " + name + " = " + value, "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// Freeze stops one of the server's processes where it is, and gives what lets it go on.
func Freeze(t testing.TB, pid int) (thaw func()) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("stop process %d: %v", pid, err)
	}
	thaw = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(thaw)
	return thaw
}

// SmallDisk gives a folder on a disk of its own that Postgres may use for a tablespace. It skips the test where we may
// not mount one.
func (c *Cluster) SmallDisk(t testing.TB, size string) string {
	t.Helper()
	disk := filepath.Join(c.home, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("faults", disk, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a full disk needs the right to mount one: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	space := filepath.Join(disk, "space")
	if err := os.Mkdir(space, 0o700); err != nil {
		t.Fatal(err)
	}
	c.own(t, space)
	return space
}

// Fill takes what is left of the disk of a folder, and gives what frees it.
func Fill(t testing.TB, folder string) (free func()) {
	t.Helper()
	ballast := filepath.Join(filepath.Dir(folder), "ballast")
	file, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for page := make([]byte, 4096); err == nil; {
		_, err = file.Write(page)
	}
	return func() { _ = os.Remove(ballast) }
}

// WriteLate leaves commits that do not wait for the disk in memory for 10 s, the longest that Postgres allows, so that a
// crash takes them back.
func (c *Cluster) WriteLate(t testing.TB) {
	t.Helper()
	c.set(t, "wal_writer_delay", "'10s'")
	c.set(t, "wal_writer_flush_after", "'1GB'")
}
