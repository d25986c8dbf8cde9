package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Meter is what Postgres had counted when a worker came to a chunk of a canary.
type Meter struct {
	at     time.Time
	pid    int32
	wal    *int64
	images *int64
}

// counted is what a server of that version tells of WAL: of a session from 18 on, of the whole server from 14 on.
func counted(major int) (query string, own bool) {
	switch {
	case major >= 18:
		return "SELECT clock_timestamp(), pg_backend_pid(), wal_bytes::bigint, wal_fpi::bigint FROM pg_stat_get_backend_wal(pg_backend_pid())", true
	case major >= 14:
		return "SELECT clock_timestamp(), 0, wal_bytes::bigint, wal_fpi::bigint FROM pg_stat_wal", false
	}
	return "SELECT clock_timestamp(), 0, NULL::bigint, NULL::bigint", false
}

// flush has what this backend has counted so far told to the others, which Postgres does once a second otherwise.
func flush(ctx context.Context, conn *pgx.Conn) error {
	if postgres.Major(conn) < 15 {
		return nil
	}
	_, err := conn.Exec(ctx, "SELECT pg_stat_force_next_flush()")
	return err
}

// Meter reads the counters.
func (l *Ledger) Meter(ctx context.Context) (m Meter, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return m, err
	}
	if err = flush(ctx, conn); err == nil {
		query, _ := counted(postgres.Major(conn))
		err = conn.QueryRow(ctx, query).Scan(&m.at, &m.pid, &m.wal, &m.images)
	}
	if err != nil {
		return m, fmt.Errorf("read what the session has counted: %w", postgres.Classify(err))
	}
	return m, nil
}

// Stayed notes what the stay at a chunk took, from the meter on. A session that is another by now, as behind a pooler, tells of the time alone.
func (l *Ledger) Stayed(ctx context.Context, claim Claim, from Meter, keys, rows int64) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	if err = flush(ctx, conn); err == nil {
		query, own := counted(postgres.Major(conn))
		_, err = conn.Exec(ctx, `INSERT INTO backfill.stays (run, chunk, fence, begun_at, ended_at, keys, rows, own, wal_from, wal_to, images_from, images_to)
			SELECT $1, $2, $3, $4, now.at, $5, $6, $7, CASE WHEN same THEN $8::bigint END, CASE WHEN same THEN now.wal END, CASE WHEN same THEN $9::bigint END, CASE WHEN same THEN now.images END
			FROM (`+query+`) AS now (at, pid, wal, images), LATERAL (SELECT now.pid = $10 AS same) AS s ON CONFLICT DO NOTHING`,
			claim.Message.Run, claim.Message.Chunk, claim.Fence, from.at, keys, rows, own, from.wal, from.images, from.pid)
	}
	if err != nil {
		return fmt.Errorf("note the stay at chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	return nil
}
