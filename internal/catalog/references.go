package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// reference is a foreign key of a table to the one whose rows are deleted.
type reference struct {
	Name    string
	Of      string // the table that refers
	Action  string // what ON DELETE does, in words
	Itself  bool   // the table refers to itself
	Indexed bool   // rows that refer are found by an index
}

// A foreign key to a partitioned table has one to each partition below it, and one to a partition alone stops a deletion
// through its parent as well. Of each only the topmost is told.
const referencesQuery = `WITH whole AS (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass))
SELECT (WITH RECURSIVE up AS (SELECT c.conname, c.conparentid
		UNION ALL SELECT p.conname, p.conparentid FROM up JOIN pg_constraint p ON p.oid = up.conparentid)
		SELECT format('%I', conname) FROM up WHERE conparentid = 0) AS name, c.conrelid::regclass::text AS of,
	CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' ELSE '' END AS action,
	c.conrelid IN (SELECT oid FROM whole) AS itself,
	EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
		AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey) AS indexed
FROM pg_constraint c WHERE c.contype = 'f' AND c.confrelid IN (SELECT oid FROM whole)
	AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.confrelid IN (SELECT oid FROM whole))
ORDER BY 2, 1`

func (r *resolver) references(ctx context.Context, to table) ([]reference, error) {
	rows, _ := r.tx.Query(ctx, referencesQuery, to.OID)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[reference])
	if err != nil {
		return nil, fmt.Errorf("read the foreign keys to the table: %w", err)
	}
	return found, nil
}

// complaint says why a rollback could not undo a deletion, "" if it could.
func (f reference) complaint() (message, remedy string) {
	switch {
	case f.Itself:
		return fmt.Sprintf("foreign key %s lets rows of the table refer to each other, and a rollback could not put them back in their order", f.Name),
			"write undo: off"
	case f.Action != "":
		return fmt.Sprintf("foreign key %s of %s is ON DELETE %s: rows there would be changed as well, and no rollback would undo it", f.Name, f.Of, f.Action),
			"make it NO ACTION and deal with those rows first, or write undo: off"
	}
	return "", ""
}

// stays says why a rollback could not take back a row that was copied, "" if it could.
func (f reference) stays() (message, remedy string) {
	switch {
	case f.Itself:
		return fmt.Sprintf("foreign key %s lets rows of %s refer to each other, and a rollback could not take them back in their order", f.Name, f.Of), "write undo: off"
	case f.Action != "":
		return fmt.Sprintf("foreign key %s of %s is ON DELETE %s: a rollback would change rows there as well", f.Name, f.Of, f.Action),
			"make it NO ACTION, or write undo: off"
	}
	return "", ""
}

// note says what the foreign key does to a deletion.
func (f reference) note() string {
	text := fmt.Sprintf("foreign key %s of %s: a row that is referred to there is not deleted; it fails", f.Name, f.Of)
	if f.Action != "" {
		text = fmt.Sprintf("foreign key %s of %s is ON DELETE %s: rows there are changed as well, are not counted, and cannot be brought back",
			f.Name, f.Of, f.Action)
	}
	if !f.Indexed {
		text += fmt.Sprintf("; without an index on its columns, each row that is deleted scans %s", f.Of)
	}
	return text
}
