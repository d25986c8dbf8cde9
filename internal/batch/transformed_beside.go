package batch

import (
	"context"

	"backfill/internal/failure"
	"backfill/internal/ledger"

	"github.com/jackc/pgx/v5"
)

// Connection is one that is opened when it is needed.
type Connection interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
	Drop()
}

// beside reads a stretch by a connection of its own, and has the function work on it, while the one before it is written. It looks at
// other rows than that: what is written is compared with what was read in any case.
func (t *Transformed) beside(ctx context.Context, claim ledger.Claim, rows int64) {
	ctx, t.stop = context.WithCancel(ctx)
	answer, within := make(chan computed, 1), t.telling(&claim)
	t.ahead = answer
	go func() {
		conn, err := t.Reads.Conn(ctx)
		if err != nil {
			answer <- computed{err: err, lost: true}
			return
		}
		read, err := t.Source.read(ctx, conn, t.Runner, &claim, rows)
		if err != nil {
			class := failure.Of(err)
			answer <- computed{err: err, lost: class == failure.Transient || class == failure.Unknown}
			return
		}
		answer <- t.worked(ctx, read, within)
	}()
}

// Close ends what is under way, and waits for it: the connection for reads is another's then. A read that is cut short breaks it, and the next one opens another.
func (t *Transformed) Close() {
	if t.ahead == nil {
		return
	}
	if t.stop != nil {
		t.stop()
	}
	t.answer()
}
