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

// write makes a piece one transaction, and moves the claim. Held: its rows are locked before. A commit waits for the disk: what the function gave may have been seen by
// somebody, and might be another value when it is called again.
func (t *Transformed) write(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, piece stretch, held bool) (outcome Outcome, err error) {
	begun := time.Now()
	form := t.form(conn)
	given := piece.computed()
	given.Held = held && len(given.Keys) > 0
	err = postgres.Read(conn.SendBatch(ctx, t.pipeline(*claim, piece, given, form)), func(results pgx.BatchResults) (err error) {
		outcome.Steering, err = led(results, given.Held)
		if err != nil {
			return err
		}
		return written(results, &outcome, *claim, piece, len(given.Keys) > 0)
	})
	if err != nil {
		return Outcome{}, err
	}
	return outcome.moved(claim, piece, begun), nil
}

// moved tells the claim what a piece has done.
func (o Outcome) moved(claim *ledger.Claim, piece stretch, begun time.Time) Outcome {
	o.Took = max(time.Since(begun), piece.paced())
	o.Bytes = max(o.Bytes, piece.bytes())
	claim.Seq++
	claim.Scanned += o.Keys
	if piece.end != nil {
		claim.Position = piece.end
	}
	claim.Affected, claim.Steering = o.Affected, o.Steering
	return o
}

func (t *Transformed) pipeline(claim ledger.Claim, piece stretch, given statement.Computed, form statement.Form) *pgx.Batch {
	pipeline := &pgx.Batch{}
	var hold []keyset.Point
	if given.Held {
		hold = given.Keys
	}
	t.lead(pipeline, claim, ledger.Step{Keys: int64(len(piece.entries)), Reached: piece.end, Done: piece.done, Timeout: t.Timeout}, hold)
	t.change(pipeline, claim, piece, given, form)
	return pipeline
}

// lead is the first part of a piece: the ledger, and the locks of rows where they are held.
func (t *Transformed) lead(pipeline *pgx.Batch, claim ledger.Claim, step ledger.Step, hold []keyset.Point) {
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(step))
	queue(settings(claim.Message, generic, false))
	if len(hold) > 0 {
		queue(byKey, nil)
		lock := statement.Hold(t.Change, hold)
		queue(lock.SQL, lock.Args)
	}
}

// led reads the answers to it.
func led(results pgx.BatchResults, held bool) (steering ledger.Steering, err error) {
	locks := 0
	if held {
		locks = 2 // and how rows are joined
	}
	return beginLocked(results, locks)
}

// change is the other part: the rows, and what goes with them.
func (t *Transformed) change(pipeline *pgx.Batch, claim ledger.Claim, piece stretch, given statement.Computed, form statement.Form) {
	table := statement.Table(t.Change.Table)
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	striped := piece.striped()
	if len(given.Keys) > 0 {
		queue(byKey, nil)
		if striped {
			queue(claim.BeforeHot(table, t.Change.Partitioned))
		}
		queue(t.update(claim, piece, given, form))
		if striped {
			queue(claim.CountHot(table, t.Change.Partitioned))
		}
	}
	if striped && len(piece.entries) > 0 {
		consume := statement.ConsumeStripe(piece.stripe)
		queue(consume.SQL, consume.Args)
	}
	if piece.done && form != statement.Forget {
		queue(claim.Weigh())
	}
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
func written(results pgx.BatchResults, outcome *Outcome, claim ledger.Claim, piece stretch, updated bool) error {
	outcome.Keys, outcome.Affected, outcome.Done = int64(len(piece.entries)), claim.Affected, piece.done
	if !updated {
		return nil
	}
	before := 1 // how rows are joined
	if piece.striped() {
		before = 2 // and what hot begins at
	}
	for range before {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	return results.QueryRow().Scan(&outcome.Affected, &outcome.Bytes)
}
