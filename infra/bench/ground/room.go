package ground

import (
	"context"
	"fmt"
	"syscall"

	"github.com/jackc/pgx/v5"
)

const (
	rowBytes = 350            // with its indexes
	copies   = 4              // to copy from, and in the arena, where an update doubles it and some stay behind
	walBytes = 10_000_000_000 // max_wal_size and what exceeds it for a while
)

// Room is what so many rows need on the disk of the server, once for each task, and what is free there. A server on
// another machine is taken to have it.
func Room(ctx context.Context, conn *pgx.Conn, rows int64, tasks int) (need, free int64, err error) {
	var folder string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&folder); err != nil {
		return 0, 0, fmt.Errorf("find the data of the benchmark's server: %w", err)
	}
	need = rows*rowBytes*int64(copies+tasks-1) + walBytes
	var disk syscall.Statfs_t
	if syscall.Statfs(folder, &disk) != nil {
		return need, need, nil
	}
	return need, int64(disk.Bavail) * disk.Bsize, nil
}
