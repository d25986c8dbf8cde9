package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// index is an index of the table. Columns are those that it sorts by; Depends adds what it includes, computes from or
// is restricted by.
type index struct {
	Name     string
	Primary  bool
	Unique   bool
	Valid    bool
	Partial  bool
	Computed bool // of an expression
	Ordinary bool // btree, in the columns' own collations and usual order
	Straight bool // all ascending, or all descending
	Late     bool // of a constraint that is deferrable
	Summary  bool // BRIN: does not stand in the way of HOT updates
	Columns  []string
	Depends  []string
}

const indexesQuery = `SELECT c.relname AS name, i.indisprimary AS primary, i.indisunique AS unique,
	i.indisvalid AND i.indisready AND i.indislive AS valid, i.indpred IS NOT NULL AS partial, i.indexprs IS NOT NULL AS computed,
	m.amname = 'btree' AND NOT EXISTS (
		SELECT FROM unnest(i.indclass::oid[], i.indcollation::oid[], i.indkey::int2[]) AS part (class, sorting, number)
		JOIN pg_opclass o ON o.oid = part.class
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = part.number
		WHERE part.sorting <> a.attcollation
			OR NOT EXISTS (SELECT FROM pg_opclass d WHERE d.opcfamily = o.opcfamily AND d.opcdefault)) AS ordinary,
	m.amname = 'brin' AS summary, NOT i.indimmediate AS late,
	NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) o WHERE o <> 0)
		OR NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) o WHERE o <> 3) AS straight,
	ARRAY(SELECT coalesce(a.attname, '') FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
		LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
		WHERE k.place <= i.indnkeyatts ORDER BY k.place)::text[] AS columns,
	ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
		SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)) AND a.attnum > 0
	)::text[] AS depends
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = $1 ORDER BY i.indisprimary DESC, c.relname`

func (r *resolver) readIndexes(ctx context.Context) (err error) {
	r.indexes, err = r.indexesOf(ctx, r.table)
	return err
}

func (r *resolver) indexesOf(ctx context.Context, of table) ([]index, error) {
	rows, _ := r.tx.Query(ctx, indexesQuery, of.OID)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[index])
	if err != nil {
		return nil, fmt.Errorf("read the indexes of %s: %w", of.Name, err)
	}
	return found, nil
}

// complaint says why an index cannot carry a key, "" if it can.
func (i index) complaint() string {
	switch {
	case !i.Unique:
		return "is not unique"
	case i.Partial:
		return "is partial: it does not hold every row"
	case i.Computed:
		return "is of an expression"
	case !i.Valid:
		return "is not valid: its creation failed or has not ended"
	case !i.Ordinary:
		return "is not a btree in the columns' own collations and order"
	case !i.Straight:
		return "mixes directions, or puts NULLs elsewhere than usual"
	}
	return ""
}

// covers tells whether both have the same columns, in any order.
func (i index) covers(names []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(i.Columns)), slices.Sorted(slices.Values(names)))
}

// list is how a definition names the columns.
func list(names []string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = display(name)
	}
	return "[" + strings.Join(shown, ", ") + "]"
}
