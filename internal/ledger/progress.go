package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Progress is what the ledger holds of a run at one moment. Chunks that no worker has claimed yet are not in it.
type Progress struct {
	State      run.State
	Reason     string
	Now        time.Time // the database's clock
	Known      int64     // chunks that were ever claimed
	Pending    int64
	Processing int64
	Completed  int64
	Failed     int64
	Leases     int64 // leases that live
	Retries    int64 // claims beyond a chunk's first
	Scanned    int64
	Affected   int64
}

// Again is a chunk that has to be sent again, with the send that the ledger has consumed.
type Again struct {
	Chunk int64
	Spent int64
	Why   string
}

// Beat renews the run's heartbeat and reads its progress, in one round trip.
func (l *Ledger) Beat(ctx context.Context, id string) (Progress, []Again, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Progress{}, nil, err
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE backfill.runs SET heartbeat = clock_timestamp() WHERE run = $1
		RETURNING state, reason, heartbeat`, id)
	batch.Queue(`SELECT count(*), count(*) FILTER (WHERE state = 'PENDING'), count(*) FILTER (WHERE state = 'PROCESSING'),
		count(*) FILTER (WHERE state = 'COMPLETED'), count(*) FILTER (WHERE state = 'FAILED'),
		count(*) FILTER (WHERE state = 'PROCESSING' AND lease_until > clock_timestamp()),
		coalesce(sum(greatest(fence - 1, 0)), 0)::bigint, coalesce(sum(scanned), 0)::bigint, coalesce(sum(affected), 0)::bigint
		FROM backfill.ledger WHERE run = $1`, id)
	batch.Queue(`SELECT chunk, send, CASE state WHEN 'PENDING' THEN 'given back: ' || reason ELSE 'lease expired' END
		FROM backfill.ledger WHERE run = $1 AND (state = 'PENDING' AND not_before <= clock_timestamp()
		OR state = 'PROCESSING' AND lease_until <= clock_timestamp()) ORDER BY chunk LIMIT 1000`, id)
	results := conn.SendBatch(ctx, batch)
	progress, again, err := readBeat(results)
	if closing := results.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return progress, nil, fmt.Errorf("beat of run %s: %w", id, postgres.Classify(err))
	}
	return progress, again, nil
}

func readBeat(results pgx.BatchResults) (p Progress, again []Again, err error) {
	if err = results.QueryRow().Scan(&p.State, &p.Reason, &p.Now); err != nil {
		return p, nil, err
	}
	err = results.QueryRow().Scan(&p.Known, &p.Pending, &p.Processing, &p.Completed, &p.Failed, &p.Leases,
		&p.Retries, &p.Scanned, &p.Affected)
	if err != nil {
		return p, nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return p, nil, err
	}
	again, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Again])
	return p, again, err
}

// Unclaimed lists the chunks from 1 to planned that no worker has ever claimed, at most limit of them.
func (l *Ledger) Unclaimed(ctx context.Context, id string, planned int64, limit int) ([]int64, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT n FROM generate_series(1, $2::bigint) AS n
		WHERE NOT EXISTS (SELECT FROM backfill.ledger l WHERE l.run = $1 AND l.chunk = n) ORDER BY n LIMIT $3`,
		id, planned, limit)
	if err != nil {
		return nil, fmt.Errorf("list unclaimed chunks of run %s: %w", id, postgres.Classify(err))
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("list unclaimed chunks of run %s: %w", id, postgres.Classify(err))
	}
	return numbers, nil
}

// FirstFailure gives the number and reason of the failed chunk with the lowest number, "" where none failed.
func (l *Ledger) FirstFailure(ctx context.Context, id string) (chunk int64, reason string, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return 0, "", err
	}
	err = conn.QueryRow(ctx, `SELECT coalesce(min(chunk), 0), coalesce((array_agg(reason ORDER BY chunk))[1], '')
		FROM backfill.ledger WHERE run = $1 AND state = 'FAILED'`, id).Scan(&chunk, &reason)
	if err != nil {
		return 0, "", fmt.Errorf("read failures of run %s: %w", id, postgres.Classify(err))
	}
	return chunk, reason, nil
}
