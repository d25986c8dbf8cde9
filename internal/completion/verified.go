package completion

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/figure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/statement"
)

// Inquirer asks the user's database.
type Inquirer interface {
	Invariant(ctx context.Context, c change.Change) (*run.Invariant, error)
	Left(ctx context.Context, c change.Change, bound keyset.Point) (*bool, error)
	Provable(ctx context.Context, c change.Change, bound keyset.Point, column string) (*bool, error)
}

// Asking gives the completer the database for what the ledger does not tell.
func (c *Completer) Asking(inquirer Inquirer) *Completer {
	c.inquirer = inquirer
	return c
}

// Verified ends a verification of which no chunk is open any more, with a certificate. It tells whether all holds that was asked, and
// whether the run has ended by it.
func (c *Completer) Verified(ctx context.Context, id string, planned int64) (holds, done bool, err error) {
	stored, err := c.ledger.Run(ctx, id)
	if err != nil {
		return false, false, err
	}
	certificate, err := c.certificate(ctx, stored, planned)
	if err != nil {
		return false, false, err
	}
	lasting, err := c.agree(ctx, id, chunk.Completed)
	if err != nil {
		return false, false, err
	}
	reason := Finding(certificate)
	certified, err := c.ledger.Certify(ctx, id, certificate, reason)
	if err != nil || !certified {
		return false, false, err
	}
	stored.State, stored.Reason = run.Completed, reason
	done, err = c.record(ctx, stored, lasting)
	return certificate.Holds, done, err
}

func (c *Completer) certificate(ctx context.Context, stored ledger.Run, planned int64) (run.Certificate, error) {
	sum := sha256.Sum256([]byte(stored.Definition))
	certificate := run.Certificate{At: stored.Now.UTC(), Backfill: stored.Backfill, Definition: hex.EncodeToString(sum[:])}
	tiling, err := c.ledger.Tiling(ctx, stored.Run)
	if err != nil {
		return certificate, err
	}
	found, err := c.ledger.Verified(ctx, stored.Run)
	if err != nil {
		return certificate, err
	}
	certificate.Tiled, certificate.Chunks, certificate.RolledBack = tiling.Complete(planned), found.All, found.RolledBack
	values, unfit := stored.Change.Verifies()
	if certificate.Unfit = unfit; values {
		certificate.Values = &run.Values{Chunks: found.Chunks, Rows: found.Looked, InScope: found.Fitting, Deviating: found.Deviating,
			Mended: found.Mended, Wrote: found.Mends, Digest: found.Digest}
	}
	if certificate.Invariant, err = c.inquirer.Invariant(ctx, stored.Change); err != nil {
		return certificate, err
	}
	if err := c.left(ctx, stored, &certificate); err != nil {
		return certificate, err
	}
	certificate.Holds = holds(certificate)
	certificate.SQL, err = c.reliable(ctx, stored, found, certificate)
	return certificate, err
}

// left asks of a deletion whether a row in scope is there still.
func (c *Completer) left(ctx context.Context, stored ledger.Run, certificate *run.Certificate) (err error) {
	if stored.Change.Verify == nil || !stored.Change.Verify.Left || stored.Bound == nil || certificate.RolledBack > 0 {
		return nil
	}
	certificate.Left, err = c.inquirer.Left(ctx, stored.Change, stored.Bound)
	return err
}

func holds(c run.Certificate) bool {
	return c.Tiled && (c.Values == nil || c.Values.Deviating == c.Values.Mended) && (c.Invariant == nil || c.Invariant.Holds) && (c.Left == nil || !*c.Left)
}

// reliable is the SQL of a migration, for the columns in which no NULL is left, in the whole table: every chunk was looked at, and the rows
// beyond the bound are asked for.
func (c *Completer) reliable(ctx context.Context, stored ledger.Run, found ledger.Verified, certificate run.Certificate) ([]string, error) {
	columns := stored.Change.Columns()
	if certificate.Values == nil || !certificate.Tiled || found.Chunks != found.All || len(found.Nulls) != len(columns) || stored.Bound == nil {
		return nil, nil
	}
	var sql []string
	for i, column := range columns {
		if found.Nulls[i] > 0 {
			continue
		}
		provable, err := c.inquirer.Provable(ctx, stored.Change, stored.Bound, column.Name)
		if err != nil {
			return nil, err
		}
		if provable != nil && *provable {
			sql = append(sql, statement.NotNull(stored.Change, column.Name)...)
		}
	}
	return sql, nil
}

// Finding is a certificate in a sentence.
func Finding(c run.Certificate) string {
	parts := []string{"the ledger tiles the key space"}
	if !c.Tiled {
		parts[0] = "the ledger does not tile the key space"
	}
	if c.Values != nil {
		parts = append(parts, looked(*c.Values))
	}
	if c.Left != nil && *c.Left {
		parts = append(parts, "a row in scope is left")
	}
	if c.Invariant != nil {
		parts = append(parts, answered(*c.Invariant))
	}
	text := "verified: "
	if !c.Holds {
		text = "verified, and it does not hold: "
	}
	text += strings.Join(parts, ", ")
	if c.Values == nil && c.Unfit != "" {
		text += "; rows were not looked at: " + c.Unfit
	}
	return text
}

// looked is what the rows have shown.
func looked(v run.Values) string {
	text := figure.Plural(v.Rows, "row", "rows") + " looked at, "
	switch {
	case v.Deviating == 0:
		return text + "none deviates"
	case v.Wrote:
		return text + fmt.Sprintf("%s deviated, %s written again", figure.Count(v.Deviating), figure.Count(v.Mended))
	}
	return text + figure.Count(v.Deviating) + " deviate"
}

// answered is what the invariant has said.
func answered(i run.Invariant) string {
	switch {
	case i.Error != "":
		return "the invariant has no answer: " + i.Error
	case i.Holds:
		return "the invariant holds"
	case i.Rows != nil:
		return fmt.Sprintf("the invariant does not hold: it gives %g", *i.Rows)
	}
	return "the invariant does not hold"
}
