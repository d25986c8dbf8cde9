package ledger

import (
	"context"
	"fmt"
	"strings"

	"backfill/internal/keyset"

	"github.com/jackc/pgx/v5"
)

// eachByKey visits a page of the rows that a query has of a run, in the order of its key, until visit says that it has enough.
// The query is completed by that order, twice, and takes the run, how many to leave out, and how many at most.
func eachByKey[T any](ctx context.Context, database Database, query string, key []keyset.Column, r Run, after, limit int64, visit func(T) (enough bool)) error {
	conn, err := database.Conn(ctx)
	if err != nil {
		return err
	}
	order, err := keyOrder(ctx, conn, key)
	if err != nil {
		return err
	}
	rows, _ := conn.Query(ctx, fmt.Sprintf(query, order), r.Run, after, limit) // its error is that of the rows
	defer rows.Close()
	for enough := false; !enough && rows.Next(); {
		found, err := pgx.RowToStructByPos[T](rows)
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
