package meter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ticks per second of /proc; fixed in Linux' interface to user space.
const ticks = 100

// processes of a server: its first one is the parent of all others. "": they are on another machine.
type processes struct{ parent string }

func find(ctx context.Context, conn *pgx.Conn) (processes, error) {
	var folder string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&folder); err != nil {
		return processes{}, fmt.Errorf("find the server: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return processes{}, nil
	}
	if err != nil {
		return processes{}, fmt.Errorf("find the server's processes: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return processes{parent: first}, nil
}

// seconds of processor time that the server has used since it began: of processes that live, and of those that ended.
func (p processes) seconds() (float64, error) {
	if p.parent == "" {
		return 0, nil
	}
	for {
		own, ended, err := times(p.parent)
		if err != nil {
			return 0, fmt.Errorf("read the server's processor time: %w", err)
		}
		living, err := p.children()
		if err != nil {
			return 0, err
		}
		// One that has ended meanwhile is in its parent's sum by now, and is not counted twice.
		if _, now, err := times(p.parent); err == nil && now == ended {
			return float64(own+ended+living) / ticks, nil
		}
	}
}

func (p processes) children() (sum int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", p.parent, p.parent))
	if err != nil {
		return 0, fmt.Errorf("list the server's processes: %w", err)
	}
	for _, child := range strings.Fields(string(text)) {
		if own, _, err := times(child); err == nil {
			sum += own
		}
	}
	return sum, nil
}

// times of a process in user and system mode: its own, and those of its children that have ended.
func times(pid string) (own, ended int64, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // a name may have spaces
	var ns [4]int64
	for i := range ns { // utime, stime, cutime, cstime
		if ns[i], err = strconv.ParseInt(fields[11+i], 10, 64); err != nil {
			return 0, 0, err
		}
	}
	return ns[0] + ns[1], ns[2] + ns[3], nil
}
