package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"
)

// Tiling is the proof that a run is complete: its finished ranges follow each other without gap or overlap, from the
// first key to the bound, or in a run that goes down from the bound to the first key.
type Tiling struct {
	Finished int64 // chunks that are COMPLETED, or were and are ROLLED_BACK by a person
	Breaks   int64 // places where a range does not begin where the one before ended, or is not finished
	Reaches  bool  // the last range ends at the bound, or at the first key
}

// Complete tells whether the ranges tile the key space; an empty table (no bound) needs none.
func (t Tiling) Complete(planned int64) bool {
	return t.Breaks == 0 && t.Reaches && t.Finished == planned
}

// Tiling reads the proof. Boundaries are copied from one range to the next, so sameness of their text is enough.
func (l *Ledger) Tiling(ctx context.Context, id string) (Tiling, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return Tiling{}, err
	}
	var t Tiling
	err = conn.QueryRow(ctx, `WITH ranges AS (
			SELECT l.chunk, l.hi, l."position", l.state, row_number() OVER w AS expected,
				CASE WHEN r.top IS NULL THEN l.lo ELSE l.hi END AS begins, CASE WHEN r.top IS NULL THEN l.hi ELSE l.lo END AS ends,
				CASE WHEN r.top IS NULL THEN lag(l.hi) OVER w ELSE lag(l.lo, 1, r.top) OVER w END AS previous
			FROM backfill.ledger l JOIN backfill.runs r ON r.run = l.run WHERE l.run = $1 WINDOW w AS (ORDER BY l.chunk))
		SELECT count(*) FILTER (WHERE state IN ('COMPLETED', 'ROLLED_BACK')),
			count(*) FILTER (WHERE state NOT IN ('COMPLETED', 'ROLLED_BACK') OR begins IS DISTINCT FROM previous OR chunk <> expected
				OR state = 'COMPLETED' AND "position" IS DISTINCT FROM hi),
			(SELECT CASE WHEN top IS NULL THEN bound END FROM backfill.runs WHERE run = $1) IS NOT DISTINCT FROM (SELECT ends FROM ranges ORDER BY chunk DESC LIMIT 1)
				AND ((SELECT top FROM backfill.runs WHERE run = $1) IS NULL OR count(*) > 0)
		FROM ranges`, id).Scan(&t.Finished, &t.Breaks, &t.Reaches)
	if err != nil {
		return t, fmt.Errorf("read the tiling of run %s: %w", id, postgres.Classify(err))
	}
	return t, nil
}
