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
	Collation string // quoted; "": the type has none
	Enum      bool
	NotNull   bool
	Generated bool
	Always    bool // GENERATED ALWAYS AS IDENTITY
	Numbers   bool // it is an identity, of either way, or takes from a sequence of its own
	Default   string
	Required  bool // a row that does not give it a value is refused
	Readable  bool
	Writable  bool
	Fillable  bool
}

// A NOT NULL that is not validated (18 and later) allows the NULLs that were there before.
const columnsQuery = `WITH RECURSIVE base (number, type, depth) AS (
	SELECT attnum, atttypid, 0 FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
	UNION ALL
	SELECT b.number, t.typbasetype, b.depth + 1 FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
), bottom AS (SELECT DISTINCT ON (number) number, type FROM base ORDER BY number, depth DESC)
SELECT a.attname AS name, a.attnum AS number, format_type(a.atttypid, a.atttypmod) AS type,
	format_type(t.oid, NULL) AS base, coalesce((SELECT format('%I.%I', n.nspname, s.collname) FROM pg_collation s
		JOIN pg_namespace n ON n.oid = s.collnamespace WHERE s.oid = a.attcollation), '') AS collation, t.typtype = 'e' AS enum,
	a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'n'
		AND c.conkey = ARRAY[a.attnum] AND NOT c.convalidated) AS notnull,
	a.attgenerated <> '' AS generated, a.attidentity = 'a' AS always,
	pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) IS NOT NULL AS numbers,
	CASE a.attgenerated WHEN '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), '') ELSE '' END AS default,
	(a.attnotnull OR own.typnotnull) AND NOT a.atthasdef AND a.attidentity = '' AND own.typdefault IS NULL AS required,
	has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
	has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS writable,
	has_column_privilege(a.attrelid, a.attnum, 'INSERT') AS fillable
FROM pg_attribute a JOIN bottom b ON b.number = a.attnum JOIN pg_type t ON t.oid = b.type JOIN pg_type own ON own.oid = a.atttypid
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 ORDER BY a.attnum`

func (r *resolver) readColumns(ctx context.Context) (err error) {
	r.columns, err = r.columnsOf(ctx, r.table)
	return err
}

func (r *resolver) columnsOf(ctx context.Context, of table) (columns, error) {
	rows, _ := r.tx.Query(ctx, columnsQuery, of.OID)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[column])
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", of.Name, err)
	}
	return found, nil
}

// columns are those of one table, in their order.
type columns []column

func (c columns) named(name string) (column, bool) {
	i := slices.IndexFunc(c, func(c column) bool { return c.Name == name })
	if i < 0 {
		return column{}, false
	}
	return c[i], true
}

func (c columns) names() []string {
	names := make([]string, len(c))
	for i, column := range c {
		names[i] = column.Name
	}
	return names
}

func (r *resolver) column(name string) (column, bool) { return r.columns.named(name) }

func (r *resolver) columnNames() []string { return r.columns.names() }
