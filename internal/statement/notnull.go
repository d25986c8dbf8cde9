package statement

import (
	"fmt"

	"backfill/internal/change"
)

// longestName is how many bytes of a name Postgres keeps.
const longestName = 63

// NotNull are the statements by which a migration forbids NULL in a column that has none: the table is scanned while users read and write
// it, and SET NOT NULL then takes the constraint for proof, and needs no scan of its own.
func NotNull(c change.Change, column string) []string {
	const end = "_not_null_proof"
	name := column[:min(len(column), longestName-len(end))]
	for len(name) > 0 && name[len(name)-1] >= 0x80 && len(name) < len(column) { // not within a character
		name = name[:len(name)-1]
	}
	table, proof := Table(c.Table), Quote(name+end)
	return []string{
		fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID", table, proof, Quote(column)),
		fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", table, proof),
		fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", table, Quote(column)),
		fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", table, proof),
	}
}

// Invariant asks the query of the definition. It is in parentheses.
func Invariant(c change.Change) Query {
	bind := &binder{}
	return Query{SQL: "SELECT " + bind.expression(c.Verify.Query, c.Params), Args: bind.args}
}

// Left asks whether a row up to the bound is in scope still.
func Left(c change.Change, bound []string) Query {
	bind := &binder{}
	return Query{SQL: fmt.Sprintf("SELECT EXISTS (SELECT FROM %s WHERE %s <= %s AND (%s))", Table(c.Table),
		row(quoted(c.Key)), row(bind.point(c.Key, bound)), bind.expression(c.Where, c.Params)), Args: bind.args}
}

// Provable asks whether NOT NULL can be proved for a column and is not there yet: no row above the bound holds NULL.
func Provable(c change.Change, bound []string, column string) Query {
	bind := &binder{}
	table := Table(c.Table)
	return Query{SQL: fmt.Sprintf(`SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = %s::regclass AND attname = %s AND attnotnull)
  AND NOT EXISTS (SELECT FROM %s WHERE %s > %s AND %s IS NULL)`, bind.value(table, "text"), bind.value(column, "text"),
		table, row(quoted(c.Key)), row(bind.point(c.Key, bound)), Quote(column)), Args: bind.args}
}
