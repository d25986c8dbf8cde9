package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/report"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

const (
	// course is what was marked of the run $1.
	course = `SELECT at, state, handled, looked, written, done, failed, workers, allowed, reason, ends_at FROM backfill.course WHERE run = $1 ORDER BY at`

	// logged are the newest $2 lines of the run's log, the oldest of them first, each with at most $3 characters.
	logged = `SELECT at, by, state, left(detail, $3), n FROM (SELECT at, by, state, detail, count(*) OVER () AS n, c.n AS line
		FROM backfill.changes c WHERE run = $1 ORDER BY c.n DESC LIMIT $2) newest ORDER BY line`

	// atWork is how long workers were at a chunk, the one who is there now included.
	atWork = `round(extract(epoch FROM l.worked + CASE WHEN l.state = 'PROCESSING' AND l.claimed_at IS NOT NULL
		THEN greatest(CASE WHEN l.lease_until > clock_timestamp() THEN clock_timestamp() ELSE l.updated_at END - l.claimed_at, '0') ELSE '0' END)::numeric, 3)::float8`

	// cells are stretches of chunks 1 to $2, at most $3 of them. Boundaries of chunks that nobody has claimed are not in the ledger.
	cells = `WITH n AS (SELECT greatest($2::bigint, (SELECT max(chunk) FROM backfill.ledger WHERE run = $1)) AS chunks),
		each AS (SELECT (number - 1) / greatest((n.chunks + $3 - 1) / $3, 1) AS cell, number, l.state, coalesce(l.retries, 0) + CASE WHEN l.owner <> '' OR l.claimed_at IS NOT NULL THEN 1 ELSE 0 END AS attempts,
				coalesce(` + atWork + `, 0) AS seconds, coalesce(l.rejected, 0) AS rejected, coalesce(l.conflicts, 0) AS conflicts
			FROM n, generate_series(1, n.chunks) AS number LEFT JOIN backfill.ledger l ON l.run = $1 AND l.chunk = number),
		summed AS (SELECT min(number) AS first, max(number) AS last, count(*) FILTER (WHERE state IN ('COMPLETED', 'ROLLED_BACK')) AS done,
				count(*) FILTER (WHERE state = 'FAILED') AS failed, count(*) FILTER (WHERE attempts > 0) AS claimed, sum(attempts)::bigint AS attempts, max(attempts) AS most,
				sum(seconds) AS seconds, max(seconds) AS longest, sum(rejected)::bigint AS rejected, sum(conflicts)::bigint AS conflicts
			FROM each GROUP BY cell)
		SELECT first, last, s.done, s.failed, s.claimed, s.attempts, s.most, s.seconds, s.longest, s.rejected, s.conflicts, b.chunk IS NULL OR e.chunk IS NULL,
			CASE WHEN r.top IS NULL THEN b.lo ELSE e.lo END, CASE WHEN r.top IS NULL THEN e.hi ELSE b.hi END
		FROM summed s JOIN backfill.runs r ON r.run = $1
			LEFT JOIN backfill.ledger b ON b.run = $1 AND b.chunk = first LEFT JOIN backfill.ledger e ON e.run = $1 AND e.chunk = last ORDER BY first`

	broken = `SELECT chunk, updated_at, left(reason, $3), count(*) OVER () FROM backfill.ledger WHERE run = $1 AND state = 'FAILED' ORDER BY updated_at DESC, chunk LIMIT $2`

	passedOver = `SELECT sqlstate, count(*), count(DISTINCT chunk) FROM backfill.rejects WHERE run = $1 GROUP BY sqlstate ORDER BY count(*) DESC, sqlstate LIMIT $2`
)

// Report reads what a report tells of a run: sums and samples, whatever its size. Chunks 1 to planned exist, claimed or not.
func (l *Ledger) Report(ctx context.Context, id string, planned int64) (f report.Facts, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return f, err
	}
	batch := &pgx.Batch{}
	batch.Queue("SELECT clock_timestamp(), started_at, ended_at, (SELECT coalesce(sum("+atWork+"), 0) FROM backfill.ledger l WHERE l.run = r.run) FROM backfill.runs r WHERE run = $1", id)
	batch.Queue(course, id)
	batch.Queue(logged, id, report.MostLines, report.MostText)
	batch.Queue(cells, id, planned, report.MostCells)
	batch.Queue(broken, id, report.MostFailures, report.MostText)
	batch.Queue(passedOver, id, report.MostStates)
	if err := postgres.Read(conn.SendBatch(ctx, batch), func(results pgx.BatchResults) error { return readFacts(results, &f) }); err != nil {
		return f, fmt.Errorf("read the report of run %s: %w", id, postgres.Classify(err))
	}
	return f, nil
}

func readFacts(results pgx.BatchResults, f *report.Facts) error {
	err := results.QueryRow().Scan(&f.Now, &f.StartedAt, &f.EndedAt, &f.Worked)
	if err != nil {
		return err
	}
	f.EndedAt = inUTC(f.EndedAt)
	f.Points, err = collect(results, func(row pgx.CollectableRow) (p report.Point, err error) {
		err = row.Scan(&p.At, &p.State, &p.Handled, &p.Looked, &p.Written, &p.Done, &p.Failed, &p.Workers, &p.Allowed, &p.Reason, &p.EndsAt)
		p.At, p.EndsAt = p.At.UTC(), inUTC(p.EndsAt)
		return p, err
	})
	if err != nil {
		return err
	}
	var lines, failed int64
	f.Log.Lines, err = collect(results, func(row pgx.CollectableRow) (c run.Change, err error) {
		err = row.Scan(&c.At, &c.By, &c.State, &c.Detail, &lines)
		c.At = c.At.UTC()
		return c, err
	})
	if err != nil {
		return err
	}
	if f.Cells, err = collect(results, readCell); err != nil {
		return err
	}
	f.Failures.Newest, err = collect(results, func(row pgx.CollectableRow) (c run.Failure, err error) {
		err = row.Scan(&c.Chunk, &c.At, &c.Reason, &failed)
		c.At = c.At.UTC()
		return c, err
	})
	if err != nil {
		return err
	}
	f.Log.Before, f.Failures.Count = lines-int64(len(f.Log.Lines)), failed
	f.Rejects, err = collect(results, pgx.RowToStructByPos[report.Rejects])
	return err
}

func readCell(row pgx.CollectableRow) (c report.Cell, err error) {
	var unknown bool
	var keys keyset.Range
	err = row.Scan(&c.First, &c.Last, &c.Done, &c.Failed, &c.Claimed, &c.Attempts, &c.Most, &c.Seconds, &c.Longest, &c.Rejected, &c.Conflicts, &unknown, &keys.Lo, &keys.Hi)
	if !unknown && keys.Hi != nil {
		c.Keys = cut(keys.Text(), report.MostKey)
	}
	return c, err
}

// cut leaves the beginning of a text that is too long.
func cut(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}

// collect reads the rows of one result; none is an empty list.
func collect[T any](results pgx.BatchResults, read pgx.RowToFunc[T]) ([]T, error) {
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows([]T{}, rows, read)
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}
