package batch

import (
	"context"
	"fmt"

	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// InPasses goes over a chunk window by window, in passes of every n-th key, as Striped does. A window is opened when all before it is
// committed, so nothing is read ahead of its end.
type InPasses struct {
	Window  statement.Window
	known   bool
	stripes []statement.Stripe // of the window, as far as they were not read
}

func (p *InPasses) reset() { p.known, p.stripes = false, nil }

func (p *InPasses) ahead() bool { return p.known && len(p.stripes) > 0 }

func (p *InPasses) read(ctx context.Context, conn *pgx.Conn, r Runner, claim *ledger.Claim, rows int64) (stretch, error) {
	if !p.ahead() {
		if err := p.list(ctx, conn, r, claim); err != nil {
			return stretch{}, err
		}
	}
	if len(p.stripes) == 0 { // no key is left
		return stretch{end: claim.Message.Hi, done: true}, nil
	}
	next := p.stripes[0]
	next.Take = min(rows, next.Rest())
	entries, _, err := r.entries(ctx, conn, statement.ReadStripe(r.Change, next))
	if err != nil {
		entries, err = r.unread(err, next.Take, func() (string, keyset.Point, error) { return p.within(ctx, conn, r, claim, next) })
	}
	if err != nil {
		return stretch{}, fmt.Errorf("read rows of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, err)
	}
	read := stretch{entries: entries, stripe: next}
	if p.stripes[0].Done += int64(len(entries)); p.stripes[0].Rest() == 0 {
		read.end, read.done = next.Reached, next.Reached.Same(claim.Message.Hi)
		p.stripes = p.stripes[1:]
	}
	return read, nil
}

// list finds what is left of the window, or opens the next one.
func (p *InPasses) list(ctx context.Context, conn *pgx.Conn, r Runner, claim *ledger.Claim) error {
	for opened := false; ; opened = true {
		query := statement.Stripes(claim.Message.Run, claim.Message.Chunk)
		found, err := conn.Query(ctx, query.SQL, query.Args...)
		all, err := listed(found, err, *claim)
		if err != nil {
			return fmt.Errorf("look up the stripes of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
		}
		if p.known, p.stripes = true, all; len(all) > 0 || opened {
			return nil
		}
		if _, err := (&Striped{Runner: r, Window: p.Window}).open(ctx, conn, claim); err != nil {
			return err
		}
	}
}
