// Package canary decides what becomes of a run whose canary is worked off.
//
// It owns the order (more chunks where too few were tried, then their rows looked at, then the pause until a person approves) and what is said of the rest. It leaves
// the choice of chunks to chunk and ledger, arithmetic to forecast, the pause to pausing. Invariants: nothing of the rest is worked on before the approval; each step can be
// repeated.
package canary

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/figure"
	"backfill/internal/forecast"
	"backfill/internal/ledger"
	"backfill/internal/run"
)

// Ledger is what is asked of Postgres.
type Ledger interface {
	Run(ctx context.Context, id string) (ledger.Run, error)
	Ripen(ctx context.Context, id string, values bool) (ledger.Canary, error)
	PauseForApproval(ctx context.Context, id, reason string, found run.Forecast) (bool, error)
}

// Pauser brings a run that is PAUSING to PAUSED.
type Pauser interface {
	Rest(ctx context.Context, id string) (run.State, error)
}

// Canaries judges canaries.
type Canaries struct {
	Ledger Ledger
	Pauser Pauser
}

// Judge is asked when no chunk of the canary is open: it has more done, or pauses the run with a forecast. Workers is how many may work at once.
func (c Canaries) Judge(ctx context.Context, id string, workers int64) error {
	stored, err := c.Ledger.Run(ctx, id)
	if err != nil {
		return err
	}
	values, why := stored.Change.Verifies()
	shown, err := c.Ledger.Ripen(ctx, id, values)
	if err != nil || shown.Waits {
		return err
	}
	found := told(shown, workers)
	if values {
		found.Verified = &shown.Verified
	} else {
		found.Unfit = why
	}
	if paused, err := c.Ledger.PauseForApproval(ctx, id, Reason(found), found); err != nil || !paused {
		return err
	}
	_, err = c.Pauser.Rest(ctx, id)
	return err
}

// told is the forecast, with what it rests on.
func told(shown ledger.Canary, workers int64) run.Forecast {
	f := run.Forecast{At: shown.Now.UTC(), Share: run.Share(shown.Share), Chunks: shown.Chunks, Failed: shown.Failed, Keys: shown.Keys, Written: shown.Written, Left: shown.Left}
	c := reckoned(shown, min(workers, max(shown.Left.Chunks, 1)))
	f.Rows, f.Seconds, f.WAL, f.Growth = c.Rows(), c.Seconds(), c.WAL(), c.Grown()
	if len(c.Stays) == 0 {
		f.Basis = []string{"nothing was measured: no worker lived to tell what its chunk took"}
		return f
	}
	f.Basis = []string{
		fmt.Sprintf("bounds: what %s differ by among themselves, 19 times of 20; a server whose load or caches change goes beyond them", figure.Plural(int64(len(c.Stays)), "stay of a worker", "stays of workers")),
		fmt.Sprintf("time: %.1f workers at once as in the canary, up to %d; without pauses and windows, under the limits of the canary", c.AtOnce(), max(workers, 1)),
	}
	switch {
	case f.WAL == nil:
		f.Basis = append(f.Basis, "WAL: this Postgres does not count it")
	case shown.Stays[0].Own:
		f.Basis = append(f.Basis, "WAL: of the workers' sessions alone; whole pages as they were written in the canary, anew after each checkpoint")
	default:
		f.Basis = append(f.Basis, "WAL: of the whole server while the canary was at work, what others wrote included (Postgres tells it of a session from version 18 on)")
	}
	if f.Growth == nil {
		return unmeasured(f)
	}
	f.Basis = append(f.Basis, "growth: as that of the canary, that of other writers included; room that VACUUM makes is not in it")
	return f
}

// unmeasured says why the growth is not known.
func unmeasured(f run.Forecast) run.Forecast {
	f.Basis = append(f.Basis, "growth: not known, as the size of the tables was not told when the run began, or now: somebody had one locked (VACUUM FULL, DDL), or they have too many partitions")
	return f
}

// reckoned puts the stays in the form that the forecast takes.
func reckoned(shown ledger.Canary, workers int64) forecast.Canary {
	c := forecast.Canary{Workers: workers, Keys: float64(shown.Keys), Left: float64(shown.Left.Keys), Block: float64(shown.Block), Cycle: shown.Checkpoints.Seconds()}
	if shown.Before != nil {
		c.Pages, c.Entries = float64(shown.Before.Bytes/shown.Block), float64(shown.Before.Indexes/shown.Block)
	}
	if shown.Before != nil && shown.Table != nil {
		c.Growth = &forecast.Growth{Table: float64(shown.Table.Bytes - shown.Before.Bytes), Index: float64(shown.Table.Indexes - shown.Before.Indexes), Indexes: float64(shown.Before.Indexes)}
	}
	var first, last time.Time
	for _, stay := range shown.Stays {
		c.Stays = append(c.Stays, forecast.Measured{Keys: float64(stay.Keys), Rows: float64(stay.Rows), Seconds: stay.Ended.Sub(stay.Begun).Seconds()})
		if first.IsZero() || stay.Begun.Before(first) {
			first = stay.Begun
		}
		if stay.Ended.After(last) {
			last = stay.Ended
		}
	}
	c.Wall, c.Logged = last.Sub(first).Seconds(), logged(shown.Stays)
	return c
}

// Reason says in short what the canary has shown.
func Reason(f run.Forecast) string {
	text := fmt.Sprintf("canary of %s: %s, %s written", f.Share, figure.Plural(f.Chunks, "chunk", "chunks"), figure.Plural(f.Written, "row", "rows"))
	switch {
	case f.Failed > 0:
		text += fmt.Sprintf(", %s FAILED", figure.Plural(f.Failed, "chunk", "chunks"))
	case f.Verified == nil:
		text += "; not verified by value"
	case f.Verified.Deviating > 0:
		text += fmt.Sprintf("; %s of %s do NOT hold what they should", figure.Count(f.Verified.Deviating), figure.Count(f.Verified.Rows))
	default:
		text += fmt.Sprintf("; verified, %s as they should be", figure.Count(f.Verified.Rows))
	}
	if f.Left.Chunks == 0 {
		return text + "; nothing is left to do; waits for an approval"
	}
	text += fmt.Sprintf("; %s left", figure.Plural(f.Left.Chunks, "chunk", "chunks"))
	if f.Seconds != nil {
		text += fmt.Sprintf(": %s to %s", clock(f.Seconds.From), clock(f.Seconds.To))
	}
	if f.WAL != nil {
		text += fmt.Sprintf(", %s to %s of WAL", figure.Bytes(float64(f.WAL.From)), figure.Bytes(float64(f.WAL.To)))
	}
	return text + "; waits for an approval"
}

func clock(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }
