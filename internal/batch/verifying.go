package batch

import (
	"context"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Verifying looks at the rows of one chunk that is done, in the order of the keys: it counts those that do not hold what they should, and
// where the claim says so, writes them again in the same batch, with undo as in the run.
type Verifying struct {
	Runner
	next *Target // nil: has to be looked up
}

// Step looks at the next batch of the claim, of at most rows keys.
func (v *Verifying) Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (Outcome, error) {
	return v.ahead(ctx, conn, claim, &v.next, rows, v.look)
}

func (v *Verifying) look(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, target Target, rows int64) (Outcome, Target, error) {
	begun := time.Now()
	outcome, next, err := held(statement.LookForm(v.Change, postgres.Major(conn)), func(form statement.Form) (Outcome, Target, error) {
		return v.send(ctx, conn, *claim, target, rows, form)
	})
	if err != nil {
		return Outcome{}, Target{}, v.refused("verify", *claim, target, err)
	}
	outcome.Took = time.Since(begun)
	reach(claim, target, outcome)
	return outcome, next, nil
}

func (v *Verifying) send(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, target Target, rows int64, form statement.Form) (
	outcome Outcome, next Target, err error,
) {
	looks := v.looks(claim, target, form)
	err = postgres.Read(conn.SendBatch(ctx, v.pipeline(claim, target, rows, form, looks)), func(results pgx.BatchResults) (err error) {
		outcome, next, err = v.read(results, claim, target, rows, len(looks))
		return err
	})
	return outcome, next, err
}

// looks is empty where the look-up saw no key: the batch only closes the chunk.
func (v *Verifying) looks(claim ledger.Claim, target Target, form statement.Form) []statement.Query {
	if target.Keys == 0 {
		return nil
	}
	looks := statement.Look(v.Change, target.span, claim.Mends, form)
	if !claim.Mends {
		return looks
	}
	return v.kept(claim, target, looks)
}

func (v *Verifying) pipeline(claim ledger.Claim, target Target, rows int64, form statement.Form, looks []statement.Query) *pgx.Batch {
	pipeline := &pgx.Batch{}
	queue := func(sql string, args []any) { pipeline.Queue(sql, args...) }
	queue(claim.Advance(ledger.Step{Keys: target.Keys, Reached: target.span.Hi, Done: target.Final, Timeout: v.Timeout}))
	queue(settings(claim.Message, custom, v.early(target.Final)))
	for _, look := range looks {
		queue(claim.CountLook(look.SQL, look.Args, claim.Mends, ledger.Parts{
			Found: claim.Mends && form == statement.Compared, Image: claim.Mends && v.Change.Undo,
		}))
	}
	if !target.Final {
		next := statement.Next(v.Change, target.span.Hi, claim.Message.Hi, rows)
		queue(next.SQL, next.Args)
		return pipeline
	}
	if len(looks) == 0 {
		queue(claim.CountNothing())
	}
	if claim.Mends && v.Change.Undo {
		queue(claim.Weigh())
	}
	return pipeline
}

func (v *Verifying) read(results pgx.BatchResults, claim ledger.Claim, target Target, rows int64, looks int) (Outcome, Target, error) {
	steering, err := begin(results)
	outcome := Outcome{Keys: target.Keys, Affected: claim.Affected, Done: target.Final, Steering: steering}
	if err != nil {
		return outcome, Target{}, err
	}
	for range looks {
		var bytes int64
		if err := results.QueryRow().Scan(&outcome.Affected, nil, nil, &bytes); err != nil {
			return outcome, Target{}, err
		}
		outcome.Bytes += bytes
	}
	if target.Final {
		return outcome, Target{}, nil // an error of what is left is told when the results are closed
	}
	next, err := read(results.QueryRow(), target.span.Hi, claim.Message.Hi, rows)
	return outcome, next, err
}

// Pass passes over the row at which the last batch failed: it cannot be judged, or not be mended. It counts as one that deviates. That of a canary is not noted as rejected.
func (v *Verifying) Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error {
	v.next = nil
	sql, args := claim.CountUnjudged(len(v.Change.Columns()))
	step := ledger.Step{Keys: 1, Reached: row.Key, Timeout: v.Timeout}
	noted := &row
	if claim.Tries() {
		noted = nil
	}
	if err := v.pass(ctx, conn, claim, step, noted, &statement.Query{SQL: sql, Args: args}); err != nil {
		return err
	}
	claim.Seq++
	claim.Position = row.Key
	return nil
}
