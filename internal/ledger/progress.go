package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/postgres"
	"backfill/internal/run"
	"backfill/internal/window"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Progress is what the ledger holds of a run at one moment. Chunks that no worker has claimed yet are not in it.
type Progress struct {
	State      run.State
	Action     string // start, rollback or verify
	Reason     string
	Back       bool      // it is being rolled back, or its last rollback ended in order
	ClosesAs   run.State // as what the run was closed before its end; "": it was not
	Now        time.Time // the database's clock
	PausedAt   time.Time // zero: it is not paused
	PausedBy   string
	PausedFor  run.For
	Until      *time.Time // when the pause ends by itself; nil: it does not
	FreeUntil  time.Time  // until then windows do not hold the run
	Writers    int64      // transactions that may have rows below the bound that are not visible yet; only of a run that follows
	Beats      int64      // of the run's governors so far, this one included
	StartedAt  time.Time
	ResumedAt  time.Time // zero: never
	OpenedAt   time.Time // when chunks were last planned, or opened in the middle of a canary; zero: never
	AdvancedAt time.Time // when the last batch was committed, or the last chunk skipped; zero: never
	Seen       time.Time // when a worker last claimed a chunk, or left one; zero: never
	Waits      string    // why the chunk waits that was given back last, or whose worker backs off; "": none does
	Known      int64     // chunks that were ever claimed
	Last       int64     // the highest number among them
	Pending    int64
	Processing int64
	Completed  int64
	Failed     int64
	RolledBack int64
	Waiting    int64            // chunks of the run's direction that were given back
	Open       int64            // chunks of the run's direction that are to be worked on still
	Broken     int64            // chunks of the run's direction that are FAILED
	Leases     int64            // leases that live
	OnFailure  change.OnFailure // what a failed chunk means for the others; "": change.Stop
	Idle       bool             // no worker holds a chunk of any run in the database
	Retries    int64            // claims of chunks whose worker before has died, or has met an error
	Begun      int64            // chunks that are PENDING forward, and have rows that are done
	Scanned    int64
	Whole      int64 // of them those of chunks that are COMPLETED
	Affected   int64
	Restored   int64
	Conflicts  int64
	Rejected   int64 // rows that are in backfill.rejects
	Looked     int64 // keys that the last verification has passed
	Deviating  int64 // rows that it found not to hold what they should
	Mended     int64 // of them written again
	Certified  *run.Certificate
	Canary     int64         // millionths of the chunks that are worked on before a person approves; 0: there is no canary, or it was approved
	Held       int64         // chunks that wait for that
	Looking    int64         // chunks of a canary that are done, and whose rows are to be looked at before that, or are being looked at
	Lookers    int64         // of them those that are PROCESSING
	Forecast   *run.Forecast // of the canary; nil: it has not come to its end
	UndoBytes  int64         // as stored, of the chunks that were completed
	Striped    int64         // chunks that are gone over in passes
	Changes    []run.Change  // the last ones, the newest last
	Latest     []run.Failure // chunks that are FAILED, the newest first, three at most
	Limits     run.Limits
	Useful     *int64 // workers that the rate has use for; nil: it has no limit
	Passes     string // how the newest chunk is gone over, and why; "": not decided yet
}

// Within tells whether the run may work now: in one of its windows, or since a person said so.
func (p Progress) Within(windows window.Windows) bool {
	return windows.Open(p.Now) || p.Now.Before(p.FreeUntil)
}

// Moved is when the run last had a row handled; at least when it began, was let go on, or had chunks opened: nobody worked on those before.
func (p Progress) Moved() time.Time {
	moved := p.StartedAt
	for _, at := range []time.Time{p.ResumedAt, p.OpenedAt, p.AdvancedAt} {
		if at.After(moved) {
			moved = at
		}
	}
	return moved
}

// idle tells whether no worker holds a chunk, of whatever run.
const idle = `NOT EXISTS (SELECT FROM backfill.ledger busy JOIN backfill.runs holder USING (run)
	WHERE holder.ended_at IS NULL AND busy.state = 'PROCESSING' AND busy.lease_until > clock_timestamp())`

// waits tells whether a chunk is held for the canary of its run.
const waits = `(l.held AND r.canary > 0 AND direction = 'forward')`

// looks tells whether a chunk of a canary is done, and is open once more so that its rows are looked at.
const looks = `(l.state IN ('PENDING', 'PROCESSING') AND r.canary > 0 AND direction = 'verify')`

// standing is what one row of backfill.runs tells, sums what the ledger's rows add up to.
const (
	standing = `state, action, reason, returns_to IS NOT NULL, coalesce(closes_as, ''), clock_timestamp(), beats, resumed_at, opened_at,
		coalesce(change->>'on_failure', ''), paused_at, paused_by, paused_for, paused_until, free_until, started_at, backfill.awaited(writers), certificate, canary, forecast, ` + idle
	sums = `SELECT count(*), coalesce(max(chunk), 0), count(*) FILTER (WHERE l.state = 'PENDING'), count(*) FILTER (WHERE l.state = 'PROCESSING'),
		count(*) FILTER (WHERE l.state = 'COMPLETED'), count(*) FILTER (WHERE l.state = 'FAILED'),
		count(*) FILTER (WHERE l.state = 'ROLLED_BACK'),
		count(*) FILTER (WHERE l.state = 'PENDING' AND backfill.works(r.state, direction) AND NOT ` + waits + `),
		count(*) FILTER (WHERE l.state IN ('PENDING', 'PROCESSING') AND backfill.works(r.state, direction) AND NOT ` + waits + `),
		count(*) FILTER (WHERE l.state = 'PENDING' AND ` + waits + `), count(*) FILTER (WHERE ` + looks + `), count(*) FILTER (WHERE l.state = 'PROCESSING' AND ` + looks + `),
		count(*) FILTER (WHERE l.state = 'FAILED' AND backfill.works(r.state, direction)),
		count(*) FILTER (WHERE l.state = 'PROCESSING' AND lease_until > clock_timestamp()),
		coalesce(sum(retries), 0)::bigint, count(*) FILTER (WHERE l.state = 'PENDING' AND direction = 'forward' AND scanned > 0), coalesce(sum(scanned), 0)::bigint, coalesce(sum(scanned) FILTER (WHERE l.state = 'COMPLETED'), 0)::bigint, coalesce(sum(affected), 0)::bigint,
		coalesce(sum(restored), 0)::bigint, coalesce(sum(conflicts), 0)::bigint, coalesce(sum(rejected), 0)::bigint, coalesce(sum(undo_bytes), 0)::bigint,
		coalesce(sum(looked), 0)::bigint, coalesce(sum(deviating), 0)::bigint, coalesce(sum(mended), 0)::bigint,
		count(*) FILTER (WHERE passes > 1), coalesce((array_agg(passes_reason ORDER BY chunk DESC) FILTER (WHERE passes IS NOT NULL))[1], ''),
		max(greatest(advanced_at, CASE l.state WHEN 'COMPLETED' THEN l.updated_at END)), max(l.updated_at) FILTER (WHERE fence > 0),
		coalesce((array_agg(l.reason ORDER BY l.updated_at DESC) FILTER (WHERE (l.state = 'PENDING' OR l.state = 'PROCESSING' AND not_before > clock_timestamp()) AND l.reason <> ''
			AND backfill.works(r.state, direction)))[1], ''),
		(` + newest + `),
		coalesce(to_json((array_agg(json_build_object('chunk', chunk, 'at', l.updated_at, 'reason', left(l.reason, 500)) ORDER BY l.updated_at DESC, chunk)
			FILTER (WHERE l.state = 'FAILED'))[1:3]), '[]')
		FROM backfill.ledger l JOIN backfill.runs r USING (run) WHERE run = $1`
)

// Look reads the progress of a run, and leaves its heartbeat alone.
func (l *Ledger) Look(ctx context.Context, id string) (Progress, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Progress{}, err
	}
	batch := &pgx.Batch{}
	batch.Queue("SELECT "+standing+" FROM backfill.runs WHERE run = $1", id)
	batch.Queue(sums, id)
	batch.Queue(limitsOf, id)
	return read(conn.SendBatch(ctx, batch), id, func(pgx.BatchResults) error { return nil })
}

// read reads a standing, sums, limits and what follows.
func read(results pgx.BatchResults, id string, rest func(pgx.BatchResults) error) (Progress, error) {
	var progress Progress
	err := postgres.Read(results, func(results pgx.BatchResults) (err error) {
		if progress, err = readProgress(results); err != nil {
			return err
		}
		return rest(results)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return progress, failure.New(failure.Permanent, "run %s: %w; was it restored to a time before the run began? "+
			"Then nothing of the run is left: start it again", id, ErrNoRun)
	}
	if err != nil {
		return progress, fmt.Errorf("progress of run %s: %w", id, postgres.Classify(err))
	}
	return progress, nil
}

func readProgress(results pgx.BatchResults) (p Progress, err error) {
	var resumed, opened, paused, free, advanced, seen pgtype.Timestamptz
	var certificate, forecast []byte
	err = results.QueryRow().Scan(&p.State, &p.Action, &p.Reason, &p.Back, &p.ClosesAs, &p.Now, &p.Beats, &resumed, &opened, &p.OnFailure, &paused, &p.PausedBy, &p.PausedFor, &p.Until, &free, &p.StartedAt, &p.Writers, &certificate, &p.Canary, &forecast, &p.Idle)
	if err != nil {
		return p, err
	}
	if p.Until != nil {
		*p.Until = p.Until.UTC()
	}
	if certificate != nil {
		if err := json.Unmarshal(certificate, &p.Certified); err != nil {
			return p, err
		}
	}
	if forecast != nil {
		if err := json.Unmarshal(forecast, &p.Forecast); err != nil {
			return p, err
		}
	}
	p.ResumedAt, p.OpenedAt, p.PausedAt, p.FreeUntil = resumed.Time, opened.Time, paused.Time, free.Time
	var changes, latest []byte
	err = results.QueryRow().Scan(&p.Known, &p.Last, &p.Pending, &p.Processing, &p.Completed, &p.Failed, &p.RolledBack, &p.Waiting, &p.Open, &p.Held, &p.Looking, &p.Lookers, &p.Broken,
		&p.Leases, &p.Retries, &p.Begun, &p.Scanned, &p.Whole, &p.Affected, &p.Restored, &p.Conflicts, &p.Rejected, &p.UndoBytes, &p.Looked, &p.Deviating, &p.Mended, &p.Striped, &p.Passes,
		&advanced, &seen, &p.Waits, &changes, &latest)
	if err != nil {
		return p, err
	}
	p.AdvancedAt, p.Seen = advanced.Time, seen.Time
	if err = errors.Join(json.Unmarshal(changes, &p.Changes), json.Unmarshal(latest, &p.Latest)); err != nil {
		return p, err
	}
	for i := range p.Latest {
		p.Latest[i].At = p.Latest[i].At.UTC()
	}
	for i := range p.Changes {
		p.Changes[i].At = p.Changes[i].At.UTC()
	}
	p.Limits, err = readLimits(results.QueryRow(), &p.Useful)
	return p, err
}
