package contender

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
)

// workerLog is where the local stack keeps what the worker function prints, with the lines that Lambda adds.
const workerLog = ".local/log/functions/backfill-worker.log"

var used = regexp.MustCompile(`(?m)^REPORT .*\tMax Memory Used: (\d+) MB`)

func logged() int64 {
	info, err := os.Stat(workerLog)
	if err != nil {
		return 0
	}
	return info.Size()
}

// peak is the highest memory that was reported since the log had that length; 0: nobody knows.
func peak(since int64) int64 {
	file, err := os.Open(workerLog)
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(since, io.SeekStart); err != nil {
		return 0
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return 0
	}
	return highest(text)
}

func highest(log []byte) (peak int64) {
	for _, found := range used.FindAllSubmatch(log, -1) {
		mb, _ := strconv.ParseInt(string(bytes.TrimSpace(found[1])), 10, 64)
		peak = max(peak, mb<<20)
	}
	return peak
}
