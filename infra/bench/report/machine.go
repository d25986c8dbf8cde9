package report

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// Machine is where it was measured; everything ran on it.
type Machine struct {
	Cores     int    `json:"cores"`
	Processor string `json:"processor"`
	Memory    int64  `json:"memory_bytes"`
	System    string `json:"system"`
	Load      string `json:"load_before"` // of the last minute
}

// ThisMachine describes the machine. What it does not tell is left out.
func ThisMachine() Machine {
	kilobytes, _ := strconv.ParseInt(first("/proc/meminfo", `(?m)^MemTotal:\s+(\d+) kB`), 10, 64)
	return Machine{
		Cores: runtime.NumCPU(), Processor: first("/proc/cpuinfo", `(?m)^model name\s*:\s*(.+)$`), Memory: kilobytes << 10,
		System: strings.TrimSpace(first("/proc/version", `^(\S+ version \S+)`)), Load: first("/proc/loadavg", `^(\S+)`),
	}
}

func first(file, pattern string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// Text is the machine in words.
func (m Machine) Text() string {
	return fmt.Sprintf("%d cores (%s), %.1f GiB, %s; load before: %s", m.Cores, m.Processor, float64(m.Memory)/(1<<30), m.System, m.Load)
}
