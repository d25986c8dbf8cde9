package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"backfill/internal/postgres"
)

// burning is the time of processors, in seconds, of the backends of batches, of those of reads, and of the workers.
type burning struct{ batches, reads, workers float64 }

func (b burning) sum() float64 { return b.batches + b.reads + b.workers }

func (b burning) String() string {
	return fmt.Sprintf("batches %.2f, reads %.2f, worker %.2f", b.batches, b.reads, b.workers)
}

// burntIn is that of the backend of a session.
func burntIn(ctx context.Context, session *postgres.Session) float64 {
	conn, err := session.Conn(ctx)
	if err != nil {
		return 0
	}
	return burntBy(conn.PgConn().PID())
}

// burntHere is the time of processors that this program has used, in seconds.
func burntHere() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return (time.Duration(usage.Utime.Nano()) + time.Duration(usage.Stime.Nano())).Seconds()
}

// ticks of Linux in a second.
const ticks = 100

// burntBy is that of a process of this machine; 0 where it is none.
func burntBy(process uint32) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return 0
	}
	_, behind, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(behind)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticks
}
