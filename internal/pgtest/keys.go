package pgtest

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"

	"github.com/jackc/pgx/v5"
)

// KeyColumn is a column of a key that is hard to walk.
type KeyColumn struct {
	Name   string
	Type   string   // as format_type prints it
	Values []string // some are equal, but not the same text
	ddl    string
}

// keyColumns order their values in another way than Go would.
var keyColumns = []KeyColumn{
	{Name: "int", Type: "integer", Values: []string{"-2147483648", "-1", "0", "9", "10", "010", "2147483647"}},
	{Name: "big", Type: "bigint", Values: []string{"-9223372036854775808", "9007199254740992", "9007199254740993", "9223372036854775807"}},
	{Name: "natural", Type: "text", ddl: "text COLLATE natural_order", Values: []string{"", "a10", "a9", "A9", "ä9", "b", "\uffff", " ", `'"\`}},
	{Name: "Ignore Case", Type: "text", ddl: "text COLLATE ignore_case", Values: []string{"a", "A", "b", "B", "é", "É", "e"}},
	{Name: "amount", Type: "numeric", Values: []string{"-Infinity", "-1", "0", "0.1", "0.10", "1", "1.00", "1e30", "NaN"}},
	{Name: "at", Type: "timestamp with time zone", Values: []string{"-infinity", "0044-03-15 12:00:00+00 BC", "2024-03-31 00:59:59.999999+00",
		"2024-03-31 01:00:00+00", "2024-03-31 03:00:00+02", "infinity"}},
	{Name: "id", Type: "uuid", Values: []string{"00000000-0000-0000-0000-000000000000", "7fffffff-0000-0000-0000-000000000001",
		"80000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"}},
}

const collations = `CREATE COLLATION natural_order (provider = icu, locale = 'en-u-kn-true');
	CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`

// KeyTable is an empty table with such a key, and with a column n of 0 in every row.
type KeyTable struct {
	Name string
	Key  []KeyColumn
}

// CreateKeyTables makes a table for each column, and tables of two and three columns in which each of them stands
// first, in the middle and last.
func (d Database) CreateKeyTables(t testing.TB) []KeyTable {
	t.Helper()
	var tables []KeyTable
	script := collations
	for length := 1; length <= 3; length++ {
		for i := range keyColumns {
			table := KeyTable{Name: fmt.Sprintf("keys %d %d", length, i)}
			for j := range length {
				table.Key = append(table.Key, keyColumns[(i+j*j+j)%len(keyColumns)])
			}
			tables = append(tables, table)
			script += table.create()
		}
	}
	d.Exec(t, script)
	return tables
}

func (k KeyTable) create() string {
	var columns []string
	for _, column := range k.Key {
		kind := column.ddl
		if kind == "" {
			kind = column.Type
		}
		columns = append(columns, quote(column.Name)+" "+kind)
	}
	return fmt.Sprintf("CREATE TABLE %s (%s, n int NOT NULL DEFAULT 0, PRIMARY KEY (%s));\n", quote(k.Name),
		strings.Join(columns, ", "), k.Columns())
}

// Increment is the change that adds 1 to n.
func (k KeyTable) Increment() change.Change {
	c := change.Change{
		Kind: change.Set, Table: change.Table{Schema: "public", Name: k.Name},
		Set: []change.Assignment{{Column: "n", Type: "integer", Expression: "n + 1"}},
	}
	for _, column := range k.Key {
		c.Key = append(c.Key, keyset.Column{Name: column.Name, Type: column.Type})
	}
	return c
}

// Columns lists the key's columns, quoted.
func (k KeyTable) Columns() string {
	names := make([]string, len(k.Key))
	for i, column := range k.Key {
		names[i] = quote(column.Name)
	}
	return strings.Join(names, ", ")
}

// Values lists the casts of arguments from $first on to the key's types.
func (k KeyTable) Values(first int) string {
	casts := make([]string, len(k.Key))
	for i, column := range k.Key {
		casts[i] = fmt.Sprintf("$%d::text::%s", first+i, column.Type)
	}
	return strings.Join(casts, ", ")
}

// Table is the quoted name.
func (k KeyTable) Table() string { return quote(k.Name) }

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
