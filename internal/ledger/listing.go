package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Listed is a chunk as people see it. One that no worker has claimed has neither boundaries nor a time: the plan has them.
type Listed struct {
	Chunk     int64        `json:"chunk"`
	State     chunk.State  `json:"state"`
	Lo        keyset.Point `json:"lo"` // exclusive; null: from the first key
	Hi        keyset.Point `json:"hi"` // inclusive
	Scanned   int64        `json:"scanned"`
	Affected  int64        `json:"affected"`
	Restored  int64        `json:"restored"`
	Conflicts int64        `json:"conflicts"`
	Rejected  int64        `json:"rejected"` // rows of it that are in backfill.rejects
	Fence     int64        `json:"fence"`
	Retries   int64        `json:"retries"`
	Passes    int64        `json:"passes"` // 1: in the order of the keys; 0: not decided yet
	Reason    string       `json:"reason"` // why it is not done, or why it is without a worker
	UpdatedAt *time.Time   `json:"updated_at"`
	NotBefore *time.Time   `json:"not_before"` // it backs off until then; null: it does not
}

// Listing is which chunks are asked for: those after one, in one state or in any.
type Listing struct {
	After   int64
	State   chunk.State // "": any
	Planned int64       // chunks 1 to Planned exist, claimed or not
	Limit   int64
}

// List lists chunks of a run in their order. What was once the reason of a chunk that is done by now is left out: one that is
// COMPLETED by batches.
func (l *Ledger) List(ctx context.Context, id string, asked Listing) ([]Listed, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := conn.Query(ctx, `SELECT n, coalesce(state, 'PENDING'), lo, hi, coalesce(scanned, 0), coalesce(affected, 0), coalesce(restored, 0),
			coalesce(conflicts, 0), coalesce(rejected, 0), coalesce(fence, 0), coalesce(retries, 0), coalesce(passes, 0)::bigint,
			CASE WHEN state = 'PENDING' AND direction = 'verify' AND reason = '' THEN 'it is done, and its rows are to be looked at'
				WHEN state IN ('PENDING', 'FAILED') OR state = 'COMPLETED' AND seq = 0 THEN reason
				WHEN state = 'PROCESSING' AND lease_until <= clock_timestamp() THEN 'lease expired'
				WHEN state = 'PROCESSING' AND not_before > clock_timestamp() THEN reason ELSE '' END,
			updated_at, CASE WHEN state IN ('PENDING', 'PROCESSING') AND not_before > clock_timestamp() THEN not_before END
		FROM generate_series($2::bigint + 1, greatest($3::bigint, (SELECT max(chunk) FROM backfill.ledger WHERE run = $1))) AS n
		LEFT JOIN backfill.ledger l ON l.run = $1 AND l.chunk = n
		WHERE $4::text = '' OR coalesce(state, 'PENDING') = $4 ORDER BY n LIMIT $5`,
		id, asked.After, asked.Planned, string(asked.State), asked.Limit) // its error is that of the rows
	listed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Listed])
	if err != nil {
		return nil, fmt.Errorf("list the chunks of run %s: %w", id, postgres.Classify(err))
	}
	for i, c := range listed {
		if c.UpdatedAt != nil {
			*listed[i].UpdatedAt = c.UpdatedAt.UTC()
		}
		if c.NotBefore != nil {
			*listed[i].NotBefore = c.NotBefore.UTC()
		}
	}
	return listed, nil
}
