package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Again is a chunk that has to be sent (again), as the message that does it.
type Again struct {
	Chunk int64
	Lo    keyset.Point
	Hi    keyset.Point
	Send  int64
	Why   string
}

// Lost is the age at which a message that no worker has claimed counts as lost. Only then is it sent again, so that a
// queue that is merely long does not fill with copies.
const Lost = 5 * time.Minute

// LostIdle is that age while no worker holds a chunk: then nothing is ahead of the message, and it is hidden by a
// delivery that could not reach the database. A few times the longest start of a worker. Not while the run is stalled: a queue that nobody
// reads would fill with copies.
const LostIdle = 30 * time.Second

// lost is when a message has to have been sent to be on its way still.
const lost = `(clock_timestamp() - CASE WHEN ` + idle + ` AND NOT starts_with(r.reason, '` + stalled + `') THEN $4::interval ELSE $3 END)`

// gap is the time in which nobody watched the run $1, if that was longer than $3: workers have stopped, and consumed what was
// sent to them. It is written down in the run's log.
const gap = `gap AS (SELECT run, heartbeat FROM backfill.runs WHERE run = $1 AND ended_at IS NULL AND state <> 'PAUSED'
		AND heartbeat < clock_timestamp() - $3::interval),
	noted AS (INSERT INTO backfill.changes (run, detail) SELECT run, format('nobody watched the run from %s UTC to %s UTC; workers had stopped by themselves',
		to_char(heartbeat AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) FROM gap)`

// Beat renews the run's heartbeat and reads its progress, in one round trip, and the chunks that are to be sent: as
// many as leave no more than window of them on their way, and as there are slots for. A rollback takes the newest first. Without a window it is the
// planner's look, whose number nobody records: it is not counted, and tells that chunks are planned.
func (l *Ledger) Beat(ctx context.Context, id string, window int64) (Progress, []Again, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Progress{}, nil, err
	}
	batch := &pgx.Batch{}
	batch.Queue(`WITH `+gap+` UPDATE backfill.runs SET heartbeat = clock_timestamp(), beats = beats + CASE WHEN $2::bigint > 0 THEN 1 ELSE 0 END,
			resumed_at = CASE WHEN EXISTS (SELECT FROM gap) THEN clock_timestamp() ELSE resumed_at END,
			opened_at = CASE WHEN $2::bigint > 0 THEN opened_at ELSE clock_timestamp() END WHERE run = $1
		RETURNING `+standing, id, window, l.terms.Heartbeat)
	batch.Queue(sums, id)
	batch.Queue(limitsOf, id)
	batch.Queue(`SELECT chunk, lo, hi, greatest(sent, send) + 1, CASE WHEN l.state = 'PROCESSING' THEN '`+leaseExpired+`'
			WHEN sent > send THEN '`+messageLost+`' WHEN l.reason <> '' THEN 'given back: ' || l.reason ELSE 'waiting' END
		FROM backfill.ledger l JOIN backfill.runs r USING (run)
		WHERE run = $1 AND l.state IN ('PENDING', 'PROCESSING') AND backfill.works(r.state, direction) AND NOT `+waits+`
			AND coalesce(CASE l.state WHEN 'PENDING' THEN not_before ELSE lease_until END <= clock_timestamp(), true)
			AND (sent <= send OR sent_at < `+lost+`)
		ORDER BY CASE direction WHEN 'back' THEN -chunk ELSE chunk END
		LIMIT greatest(0, least($2, backfill.room($1)) - (SELECT count(*) FROM backfill.ledger l JOIN backfill.runs r USING (run)
			WHERE run = $1 AND l.state = 'PENDING' AND sent > send AND sent_at >= `+lost+`))`,
		id, window, Lost, LostIdle)
	var again []Again
	progress, err := read(conn.SendBatch(ctx, batch), id, func(results pgx.BatchResults) error {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		again, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Again])
		return err
	})
	return progress, again, err
}

// Why a chunk is sent again, where something went wrong.
const (
	leaseExpired = "lease expired"
	messageLost  = "its message was lost"
)

// Expired tells whether the chunk's worker died: it held the lease to its end.
func (a Again) Expired() bool { return a.Why == leaseExpired }

// Sent notes that messages of Beat were put on the queue, and in the run's log those for which something went wrong.
func (l *Ledger) Sent(ctx context.Context, id string, sent []Again) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	chunks, sends, whys := make([]int64, len(sent)), make([]int64, len(sent)), make([]string, len(sent))
	for i, again := range sent {
		chunks[i], sends[i], whys[i] = again.Chunk, again.Send, again.Why
	}
	_, err = conn.Exec(ctx, `WITH sent AS (UPDATE backfill.ledger l SET sent = greatest(sent, s.send), sent_at = clock_timestamp()
			FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS s (chunk, send, why) WHERE l.run = $1 AND l.chunk = s.chunk RETURNING l.chunk, why)
		SELECT backfill.note($1, 'sent again: ' || why, array_agg(chunk)) FROM sent WHERE why = ANY ($5) GROUP BY why`,
		id, chunks, sends, whys, []string{leaseExpired, messageLost})
	if err != nil {
		return fmt.Errorf("note %d chunks of run %s as sent: %w", len(sent), id, postgres.Classify(err))
	}
	return nil
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
