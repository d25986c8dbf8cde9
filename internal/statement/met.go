package statement

import (
	"fmt"
	"strings"

	"backfill/internal/keyset"
)

// These find which rows a batch met that failed: what it took is listed in the database, and no part of the batch.

// StripeKey finds the first key that a batch takes of a stripe, as text.
func StripeKey(key []keyset.Column, s Stripe) Query {
	columns := []string{"ids[$4::bigint + 1]::text"}
	if !integer(key) {
		columns = make([]string, len(key))
		for i := range key {
			columns[i] = fmt.Sprintf("keys[%d * rows + $4::bigint + 1]", i)
		}
	}
	return Query{SQL: fmt.Sprintf("SELECT ARRAY[%s] FROM backfill.stripes WHERE run = $1 AND chunk = $2 AND part = $3", strings.Join(columns, ", ")),
		Args: []any{s.Run, s.Chunk, s.Part, s.Done}}
}

// WindowEnd finds the last key of the window that a chunk is in, as text.
func WindowEnd(run string, chunk int64) Query {
	return Query{SQL: "SELECT reached FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part DESC LIMIT 1", Args: []any{run, chunk}}
}

// PieceKey finds the first key that a batch takes of an undo row, as text.
func PieceKey(key []keyset.Column, p Piece) Query {
	source, columns := listing(key, "backfill_undo")
	return Query{SQL: fmt.Sprintf(`SELECT ARRAY[%s] FROM (SELECT n, %s FROM backfill.undo AS backfill_undo, %s
WHERE run = $1 AND chunk = $2 AND seq = $3 AND part = $4) AS listed WHERE n = $5::bigint + 1`,
		strings.Join(textsOf("k", len(key)), ", "), columns, source), Args: []any{p.Run, p.Chunk, p.Seq, p.Part, p.Done}}
}
