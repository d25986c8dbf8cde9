package batch

import (
	"context"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// byKey has rows that are listed looked up by the index, one by one: another join would walk the table.
const byKey = "SELECT pg_catalog.set_config('enable_hashjoin', 'off', true), pg_catalog.set_config('enable_mergejoin', 'off', true)"

// write makes a piece one transaction, and moves the claim. A commit waits for the disk: what the function gave may have been seen by
// somebody, and might be another value when it is called again.
func (t *Transformed) write(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, piece stretch) (outcome Outcome, err error) {
	begun := time.Now()
	form := t.form(conn)
	given := piece.computed()
	err = postgres.Read(conn.SendBatch(ctx, t.pipeline(*claim, piece, given, form)), func(results pgx.BatchResults) (err error) {
		outcome, err = written(results, *claim, piece, len(given.Keys) > 0)
		return err
	})
	if err != nil {
		return Outcome{}, err
	}
	outcome.Took = max(time.Since(begun), piece.paced())
	outcome.Bytes = max(outcome.Bytes, piece.bytes())
	claim.Seq++
	claim.Scanned += outcome.Keys
	if piece.end != nil {
		claim.Position = piece.end
	}
	claim.Affected, claim.Steering = outcome.Affected, outcome.Steering
	return outcome, nil
}

func (t *Transformed) pipeline(claim ledger.Claim, piece stretch, given statement.Computed, form statement.Form) *pgx.Batch {
	pipeline, table := &pgx.Batch{}, statement.Table(t.Change.Table)
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(ledger.Step{Keys: int64(len(piece.entries)), Reached: piece.end, Done: piece.done, Timeout: t.Timeout}))
	queue(settings(claim.Message, generic, false))
	striped := piece.striped()
	if len(given.Keys) > 0 {
		queue(byKey, nil)
		if striped {
			queue(claim.BeforeHot(table))
		}
		queue(t.update(claim, piece, given, form))
		if striped {
			queue(claim.CountHot(table))
		}
	}
	if striped && len(piece.entries) > 0 {
		consume := statement.ConsumeStripe(piece.stripe)
		queue(consume.SQL, consume.Args)
	}
	if piece.done && form != statement.Forget {
		queue(claim.Weigh())
	}
	return pipeline
}

func (t *Transformed) update(claim ledger.Claim, piece stretch, given statement.Computed, form statement.Form) (string, []any) {
	update := statement.Write(t.Change, given, form)
	if form != statement.Forget {
		hi := claim.Message.Hi
		if !piece.striped() && piece.end != nil {
			hi = piece.end
		}
		update = statement.Keep(t.Change, keyset.Range{Lo: claim.From(), Hi: hi}, update,
			statement.Place{Run: claim.Message.Run, Chunk: claim.Message.Chunk, Seq: claim.Seq})
	}
	return claim.Count(update.SQL, update.Args, ledger.Parts{Found: true, Image: form != statement.Forget})
}

// written reads the answers as far as they tell something; errors of the others are told when the results are closed.
func written(results pgx.BatchResults, claim ledger.Claim, piece stretch, updated bool) (Outcome, error) {
	steering, err := begin(results)
	outcome := Outcome{Keys: int64(len(piece.entries)), Affected: claim.Affected, Done: piece.done, Steering: steering}
	if err != nil || !updated {
		return outcome, err
	}
	before := 1 // how rows are joined
	if piece.striped() {
		before = 2 // and what hot begins at
	}
	for range before {
		if _, err := results.Exec(); err != nil {
			return outcome, err
		}
	}
	return outcome, results.QueryRow().Scan(&outcome.Affected, &outcome.Bytes)
}
