package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/definition"
	"backfill/internal/figure"

	"github.com/jackc/pgx/v5"
)

// Triggers that fire for these columns, foreign keys from them, and foreign keys of other tables to them.
const notesQuery = `SELECT format('trigger %I fires for each row that is written', tgname) FROM pg_trigger
	WHERE tgrelid = $1 AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 16 <> 0
		AND (cardinality(tgattr::int2[]) = 0 OR tgattr::int2[] && $2::int2[])
UNION ALL
SELECT format('foreign key %I: each row that is written is looked up in %s', conname, confrelid::regclass) FROM pg_constraint
	WHERE conrelid = $1 AND contype = 'f' AND conkey && $2::int2[]
UNION ALL
SELECT format('foreign key %I of %s refers to a column that is written: rows there may stop or follow the change',
	conname, conrelid::regclass) FROM pg_constraint
	WHERE confrelid = $1 AND contype = 'f' AND conparentid = 0 AND confkey && $2::int2[]
UNION ALL
SELECT format('the table is a partition of %s: rows in other partitions stay as they are', inhparent::regclass)
	FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhrelid = $1 AND c.relispartition
ORDER BY 1`

// note gathers what a person should know of a change that is possible.
func (r *resolver) note(ctx context.Context) error {
	if len(r.problems) > 0 {
		return nil
	}
	var numbers []int16
	for _, assignment := range r.definition.Set {
		found, _ := r.column(assignment.Column)
		numbers = append(numbers, found.Number)
	}
	if r.table.Kind == "p" {
		r.warn("the table has %s", figure.Plural(r.size.partitions, "partition", "partitions"))
	}
	if r.size.guessed {
		r.warn("the table, or a partition, was never analysed: the number of rows is a guess from its size")
	}
	r.noteIndexes()
	rows, _ := r.tx.Query(ctx, notesQuery, r.table.OID, numbers)
	notes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read triggers and foreign keys: %w", err)
	}
	r.notes = append(r.notes, notes...)
	return nil
}

// noteIndexes tells when updates cannot be HOT: every index of the table then grows with every row that is written.
func (r *resolver) noteIndexes() {
	if names := r.writtenIndexes(); names != "" {
		r.warn("a column that is written is indexed (%s): each row that is written grows every index of the table", names)
	}
}

// writtenIndexes lists the indexes that a written column has a part in.
func (r *resolver) writtenIndexes() string {
	var names []string
	for _, i := range r.indexes {
		written := slices.ContainsFunc(i.Depends, func(name string) bool {
			return slices.ContainsFunc(r.definition.Set, func(a definition.Assignment) bool { return a.Column == name })
		})
		if written && !i.Summary {
			names = append(names, display(i.Name))
		}
	}
	return strings.Join(names, ", ")
}
