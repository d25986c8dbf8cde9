package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/postgres"
	"backfill/internal/run"
	"backfill/internal/signal"
	"backfill/internal/throttle"

	"github.com/jackc/pgx/v5"
)

// BackingOff begins the reason of a chunk whose worker waits before it tries a batch again, or has given it back for that.
const BackingOff = "backing off: "

// Why a worker leaves a chunk to which nothing happens: it waited for the rate.
const (
	NoRoom      = "the rate has no room for another worker"
	NoUse       = "the rate has no use for another worker" // as functions_workers.sql says it
	LateForRoom = "deadline of the function, while it waited for the rate"
)

// WaitsForOthers tells whether a chunk was given back since other runs have the slots of the database, as functions_workers.sql says it.
func WaitsForOthers(reason string) bool {
	return reason == "a slot of the database is kept for another run" || strings.HasPrefix(reason, "at most ") && strings.HasSuffix(reason, " for all runs of the database")
}

// Reservation is what a run's rate allows.
type Reservation struct {
	Rows     int64
	Wait     time.Duration // before the rows may be worked on; of none: before it is worth to ask again
	Steering               // not limited: the limit was lifted, and nothing has to be reserved
}

// Reserve takes rows out of the rate of the database and of the run, in a transaction of its own. A negative number gives
// back. It raises as Advance does where the run is not worked on, and keeps the claim's lease alive.
func (l *Ledger) Reserve(ctx context.Context, claim Claim, rows int64) (Reservation, error) {
	var got Reservation
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return got, err
	}
	var wait float64
	err = conn.QueryRow(ctx, "SELECT r.granted, r.wait, r.limited, s.surplus, s.budget FROM backfill.reserve($1, $2, $3, $4, $5, $6) r, backfill.steer($1, $2) s",
		claim.Message.Run, claim.Message.Chunk, claim.Owner, rows, claim.Lease, claim.Stale).Scan(&got.Rows, &wait, &got.Limited, &got.Surplus, &got.Budget)
	if err != nil {
		return got, fmt.Errorf("reserve rows for chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	got.Wait = time.Duration(wait * float64(time.Second))
	return got, nil
}

// Tuning changes limits. What is nil stays as it is; a rate or a number of workers of 0 lifts the limit.
type Tuning struct {
	Rate   *int64 // rows/s
	Weight *int64 // of a run beside the others
	// Workers is how many chunks may be at work at a time; 0 lifts the limit.
	Workers *int64
	Limits  map[signal.Name]*float64 // of signals; nil: as in the definition
	Budget  *int64                   // rows that may be rejected; -1: as in the definition
	WAL     *int64                   // of the database: bytes/s of WAL; 0 lifts the ceiling
	By      string
}

// String is what the log of a run says of it.
func (t Tuning) String() string {
	var said []string
	switch {
	case t.Rate != nil && *t.Rate == 0:
		said = append(said, "no limit of the rate")
	case t.Rate != nil:
		said = append(said, fmt.Sprintf("at most %s rows/s", figure.Count(*t.Rate)))
	}
	if t.Weight != nil {
		said = append(said, fmt.Sprintf("weight %d", *t.Weight))
	}
	switch {
	case t.Workers != nil && *t.Workers == 0:
		said = append(said, "no limit of workers")
	case t.Workers != nil:
		said = append(said, "at most "+figure.Plural(*t.Workers, "worker", "workers")+" at a time")
	}
	switch {
	case t.WAL != nil && *t.WAL == 0:
		said = append(said, "no limit of WAL")
	case t.WAL != nil:
		said = append(said, "at most "+figure.Bytes(float64(*t.WAL))+"/s of WAL")
	}
	if limits, _ := t.limits(); len(limits) > 0 {
		said = append(said, "limits "+limits.String())
	}
	if _, dropped := t.limits(); len(dropped) > 0 {
		said = append(said, "limits as in the definition: "+strings.Join(dropped, ", "))
	}
	switch {
	case t.Budget != nil && *t.Budget < 0:
		said = append(said, "error budget as in the definition")
	case t.Budget != nil:
		said = append(said, "error budget "+figure.Count(*t.Budget))
	}
	return strings.Join(said, ", ")
}

// limits are those of signals that are set, and the names of those that are as in the definition again.
func (t Tuning) limits() (set signal.Limits, dropped []string) {
	set, dropped = signal.Limits{}, []string{}
	for _, name := range signal.Names() {
		switch limit, given := t.Limits[name]; {
		case given && limit == nil:
			dropped = append(dropped, string(name))
		case given:
			set[name] = *limit
		}
	}
	return set, dropped
}

// What was taken ahead of time was at another rate: where the rate is changed, it is forgotten. A ceiling of WAL is a rate of rows/s at once; the next decision
// corrects it.
const (
	tuneDatabase = `WITH anew AS (UPDATE backfill.shares SET tokens = 0 WHERE $3::bigint IS NOT NULL),
		noted AS (INSERT INTO backfill.changes (run, by, detail) SELECT run, $1, $2 FROM backfill.runs WHERE ended_at IS NULL)
		UPDATE backfill.throttle SET set_by = $1, ceiling = CASE WHEN $3 IS NULL THEN ceiling ELSE nullif($3, 0) END,
			refilled_at = CASE WHEN $3 IS NULL THEN refilled_at ELSE clock_timestamp() END,
			workers = CASE WHEN $4::bigint IS NULL THEN workers ELSE nullif($4, 0) END,
			wal = CASE WHEN $5::bigint IS NULL THEN wal ELSE nullif($5, 0) END, wal_rate = CASE WHEN $5 IS NULL THEN wal_rate WHEN $5 > 0 THEN coalesce(wal_rate * $5 / wal, $6) END`
	tuneRun = `WITH noted AS (INSERT INTO backfill.changes (run, by, detail) SELECT run, $2, $3 FROM backfill.runs WHERE run = $1)
		INSERT INTO backfill.shares AS s (run, set_by, rate, weight, workers, signals, error_budget)
		SELECT run, $2, nullif($4::bigint, 0), coalesce($5::bigint, 1), nullif($6::bigint, 0), $7::jsonb - $8::text[], nullif($9::bigint, -1) FROM backfill.runs WHERE run = $1
		ON CONFLICT (run) DO UPDATE SET set_by = $2, rate = CASE WHEN $4 IS NULL THEN s.rate ELSE excluded.rate END,
			own = CASE WHEN $4 IS NULL THEN s.own ELSE 0 END, weight = coalesce($5, s.weight),
			workers = CASE WHEN $6 IS NULL THEN s.workers ELSE excluded.workers END, signals = (s.signals || $7) - $8,
			error_budget = CASE WHEN $9 IS NULL THEN s.error_budget ELSE excluded.error_budget END`
)

// Tune changes the limits of a run, "": the ceiling of the database, notes it in the logs of the runs concerned, and tells what holds then. Workers hear of it with
// their next batch, or when they have used up what they have reserved.
func (l *Ledger) Tune(ctx context.Context, id string, tuning Tuning) (run.Limits, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return run.Limits{}, err
	}
	if id == "" {
		_, err = conn.Exec(ctx, tuneDatabase, tuning.By, "of the database: "+tuning.String(), tuning.Rate, tuning.Workers, tuning.WAL, float64(throttle.Unknown))
	} else {
		set, dropped := tuning.limits()
		_, err = conn.Exec(ctx, tuneRun, id, tuning.By, tuning.String(), tuning.Rate, tuning.Weight, tuning.Workers, set, dropped, tuning.Budget)
	}
	if err != nil {
		return run.Limits{}, fmt.Errorf("tune %s: %w", tuned(id), unmade(postgres.Classify(err)))
	}
	return limits(ctx, conn, id)
}

// limitsOf reads the limits of the run $1, and how many workers its rate has use for; none of its own where there is no such run.
const limitsOf = `SELECT s.rate, coalesce(s.weight, 1), coalesce(s.set_by, ''), t.ceiling, t.set_by, s.workers, t.workers,
	s.signals, s.error_budget, t.wal, (SELECT useful FROM backfill.slots($1)) FROM backfill.throttle t LEFT JOIN backfill.shares s ON s.run = $1`

func limits(ctx context.Context, conn *pgx.Conn, id string) (found run.Limits, err error) {
	var useful *int64
	found, err = readLimits(conn.QueryRow(ctx, limitsOf, id), &useful)
	if err != nil {
		return found, fmt.Errorf("read the limits of %s: %w", tuned(id), postgres.Classify(err))
	}
	return found, nil
}

func readLimits(row pgx.Row, useful **int64) (l run.Limits, err error) {
	return l, row.Scan(&l.Rate, &l.Weight, &l.By, &l.Database, &l.DatabaseBy, &l.Workers, &l.DatabaseWorkers, &l.Signals, &l.ErrorBudget, &l.DatabaseWAL, useful)
}

func tuned(id string) string {
	if id == "" {
		return "the database"
	}
	return "run " + id
}

// unmade tells who tunes a database in which nothing has run yet.
func unmade(err error) error {
	if postgres.Raised(err, undefinedTable) {
		return failure.New(failure.Invalid, "schema backfill is not there, or is older: %w", errors.New("the next start of a run makes it"))
	}
	return err
}
