package host

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var peak = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// Peak is the most memory that the process has held so far, bytes, as Lambda reports it: the high-water mark of what was resident.
// It is an error where no process lives.
func (h *Host) Peak() (int64, error) {
	p := h.current()
	if p == nil || p.hasEnded() {
		return 0, fmt.Errorf("%s has no process", h.Name)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", h.Name, err)
	}
	found := peak.FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("the system does not tell the memory of %s", h.Name)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kilobytes << 10, err
}
