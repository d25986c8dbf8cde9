package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Conflict is a row that a rollback left alone, since it no longer held what the run wrote. Values are of the columns that
// the run wrote, cut to 1000 characters.
type Conflict struct {
	Chunk   int64        `json:"chunk"`
	Key     keyset.Point `json:"key"`
	Holds   []*string    `json:"holds"` // when the rollback came by; null: the row was gone
	Was     []*string    `json:"was"`   // before the run; null: not kept
	FoundAt time.Time    `json:"found_at"`
}

// conflictsQuery is completed by its order, twice. Keys alone are sorted to find the page: values may be long, which is also
// why those of before the run are cut.
const conflictsQuery = `SELECT chunk, key, holds, (SELECT array_agg(left(value, 1000) ORDER BY n)
	FROM unnest(was) WITH ORDINALITY AS listed (value, n)), found_at
FROM (SELECT run, chunk, key FROM backfill.conflicts WHERE run = $1 ORDER BY chunk, %[1]s OFFSET $2 LIMIT $3) AS page
JOIN backfill.conflicts USING (run, chunk, key) ORDER BY chunk, %[1]s`

// Conflicts visits the conflicts of a run by chunk and in the order of its key, after those that were visited before, until
// visit says that it has enough. They are not collected: a page of them may be larger than the memory of a function.
func (l *Ledger) Conflicts(ctx context.Context, r Run, after, limit int64, visit func(Conflict) (enough bool)) error {
	if err := l.conflicts(ctx, r, after, limit, visit); err != nil {
		return fmt.Errorf("list the conflicts of run %s: %w", r.Run, postgres.Classify(err))
	}
	return nil
}

func (l *Ledger) conflicts(ctx context.Context, r Run, after, limit int64, visit func(Conflict) (enough bool)) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	order, err := keyOrder(ctx, conn, r.Change.Key)
	if err != nil {
		return err
	}
	rows, _ := conn.Query(ctx, fmt.Sprintf(conflictsQuery, order), r.Run, after, limit) // its error is that of the rows
	defer rows.Close()
	for enough := false; !enough && rows.Next(); {
		found, err := pgx.RowToStructByPos[Conflict](rows)
		if err != nil {
			return err
		}
		enough = visit(found)
	}
	return rows.Err()
}

// keyOrder sorts keys, which are stored as text, by their types. A type that is gone by now, as its table may be, leaves the
// text. The whole key comes last: pages need one order, also where values of a type are the same in another collation.
func keyOrder(ctx context.Context, conn *pgx.Conn, key []keyset.Column) (string, error) {
	types := make([]string, len(key))
	for i, column := range key {
		types[i] = column.Type
	}
	rows, _ := conn.Query(ctx, `SELECT to_regtype(type) IS NOT NULL FROM unnest($1::text[]) WITH ORDINALITY AS listed (type, n)
		ORDER BY n`, types)
	there, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return "", err
	}
	var parts []string
	for i, name := range types {
		part := fmt.Sprintf("key[%d]", i+1)
		if there[i] {
			part += "::" + name
		}
		parts = append(parts, part)
	}
	return strings.Join(append(parts, "key"), ", "), nil
}
