package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// killOwner ends the process that holds the client side of a TCP connection on loopback, as the kernel's lack of
// memory would: SIGKILL, no farewell. It returns false where no such connection exists any more.
func killOwner(t *testing.T, clientPort, serverPort int) bool {
	t.Helper()
	inode := inodeOf(t, clientPort, serverPort)
	if inode == "" {
		return false
	}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, descriptor := range descriptors {
		target, err := os.Readlink(descriptor)
		if err != nil || target != "socket:["+inode+"]" {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(descriptor, "/")[2])
		must(t, err)
		if program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); filepath.Base(strings.TrimSuffix(program, " (deleted)")) != "bootstrap" {
			t.Fatalf("port %d belongs to %s, not to a function", clientPort, program)
		}
		must(t, syscall.Kill(pid, syscall.SIGKILL))
		return true
	}
	return false
}

// inodeOf reads /proc/net/tcp: "sl local_address rem_address ... inode", addresses as hex IP:PORT.
func inodeOf(t *testing.T, localPort, remotePort int) string {
	t.Helper()
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		local, remote := fmt.Sprintf(":%04X", localPort), fmt.Sprintf(":%04X", remotePort)
		for _, line := range strings.Split(string(text), "\n") {
			fields := strings.Fields(line)
			if len(fields) > 9 && strings.HasSuffix(fields[1], local) && strings.HasSuffix(fields[2], remote) {
				return fields[9]
			}
		}
	}
	return ""
}
