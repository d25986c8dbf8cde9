package batch

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// apply commits what it can of what is ready. Where users changed rows meanwhile nothing is committed: those are read and computed
// again, and half of the batch is tried, since it takes less time, with its rows locked before. A row that alone is changed again and again
// is locked while the function works on it.
func (t *Transformed) apply(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, most int64) (Outcome, error) {
	rows, held, met, lone := most, t.kept, false, 0
	if t.calm > 0 {
		rows, held = min(most, t.calm), true
		if _, err := t.again(ctx, conn, claim, rows, rows); err != nil {
			return Outcome{}, err
		}
	}
	for {
		piece, rest := t.ready.take(rows)
		outcome, err := t.attempt(ctx, conn, claim, piece, held, lone)
		switch {
		case err == nil:
			t.ready = rest
			t.passed(rows, most, met)
			return outcome, nil
		case !changedMeanwhile(err):
			return Outcome{}, fmt.Errorf("apply batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run,
				failed(err, int64(len(piece.entries)), func() (string, keyset.Point, error) {
					return piece.within(t.Change.Key, claim.Message.Range(), claim.From()), piece.entries[0].key, nil
				}))
		}
		rows = int64(len(piece.entries))
		half := max(1, rows/2)
		if held { // what users have changed is told by the write
			rows = half
		}
		changed, err := t.again(ctx, conn, claim, rows, half)
		if err != nil {
			return Outcome{}, err
		}
		switch {
		case changed == 0 && !held: // a trigger of the table keeps rows as they are, which only a lock tells apart
			t.kept, held = true, true
			continue
		case len(piece.entries) == 1:
			lone++
		}
		rows, held, met = half, true, true
	}
}

// attempt tries to commit a piece.
func (t *Transformed) attempt(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, piece stretch, held bool, lone int) (Outcome, error) {
	if lone >= loneTries {
		return t.alone(ctx, conn, claim, piece)
	}
	return t.write(ctx, conn, claim, piece, held)
}

// again reads the first of what is ready again, and tells how many of them are not as they were. The function works on those of them that are tried next.
func (t *Transformed) again(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows, tried int64) (changed int, err error) {
	changed, err = t.refresh(ctx, conn, claim, t.ready.entries[:min(rows, int64(len(t.ready.entries)))], int(tried))
	if err != nil {
		return 0, err
	}
	if failed := t.ready.refused(t.Change.Key); failed != nil {
		return 0, fmt.Errorf("compute batch %d of chunk %d of run %s: %w", claim.Seq, claim.Message.Chunk, claim.Message.Run, failed)
	}
	return changed, nil
}

func changedMeanwhile(err error) bool {
	var failed *Failed
	return postgres.Raised(err, failure.RowsChanged) && !errors.As(err, &failed)
}

// passed remembers the size at which a batch got through beside users: the next one begins at twice that, and reads its rows again before, since
// those users are likely to have met it, too. Where they leave, the size is soon what it was.
func (t *Transformed) passed(rows, most int64, met bool) {
	if !met && t.calm == 0 {
		return
	}
	if t.calm = 2 * rows; t.calm >= most {
		t.calm = 0
	}
}
