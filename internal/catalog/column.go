package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// column is a column of the table; Base is the type under all domains.
type column struct {
	Name      string
	Number    int16
	Type      string
	Base      string
	Enum      bool
	NotNull   bool
	Generated bool
	Always    bool // GENERATED ALWAYS AS IDENTITY
	Readable  bool
	Writable  bool
}

// A NOT NULL that is not validated (18 and later) allows the NULLs that were there before.
const columnsQuery = `WITH RECURSIVE base (number, type, depth) AS (
	SELECT attnum, atttypid, 0 FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
	UNION ALL
	SELECT b.number, t.typbasetype, b.depth + 1 FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
), bottom AS (SELECT DISTINCT ON (number) number, type FROM base ORDER BY number, depth DESC)
SELECT a.attname AS name, a.attnum AS number, format_type(a.atttypid, a.atttypmod) AS type,
	format_type(t.oid, NULL) AS base, t.typtype = 'e' AS enum,
	a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'n'
		AND c.conkey = ARRAY[a.attnum] AND NOT c.convalidated) AS notnull,
	a.attgenerated <> '' AS generated, a.attidentity = 'a' AS always,
	has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
	has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS writable
FROM pg_attribute a JOIN bottom b ON b.number = a.attnum JOIN pg_type t ON t.oid = b.type
WHERE a.attrelid = $1 ORDER BY a.attnum`

func (r *resolver) readColumns(ctx context.Context) error {
	rows, _ := r.tx.Query(ctx, columnsQuery, r.table.OID)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByName[column])
	if err != nil {
		return fmt.Errorf("read the columns: %w", err)
	}
	r.columns = columns
	return nil
}

func (r *resolver) column(name string) (column, bool) {
	i := slices.IndexFunc(r.columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return column{}, false
	}
	return r.columns[i], true
}

func (r *resolver) columnNames() []string {
	names := make([]string, len(r.columns))
	for i, column := range r.columns {
		names[i] = column.Name
	}
	return names
}
