// Package statement builds the SQL that walks and changes a user's table.
//
// It owns the text of those statements and the order of their arguments; it runs nothing. It leaves the ledger's SQL
// to ledger. Invariants: builders are pure; names are quoted by pgx.Identifier; keys and parameters travel as $n, as
// text that is cast to the column's type, but in scripts for people (Deviating, Remaining), which nothing here runs; each range that is read can be walked by the key's index from its first to
// its last row and no further (see Ranges).
package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/expression"
	"backfill/internal/keyset"

	"github.com/jackc/pgx/v5"
)

// Query is a statement with its arguments.
type Query struct {
	SQL  string
	Args []any
}

// Quote quotes names: one, or a qualified one.
func Quote(names ...string) string { return pgx.Identifier(names).Sanitize() }

// Table quotes a table's name.
func Table(table change.Table) string { return Quote(table.Schema, table.Name) }

// binder numbers the arguments of one statement.
type binder struct {
	args      []any
	params    map[string]string
	target    string // before the key's columns, where other tables stand beside the table
	literally bool   // values stand in the text, which people run
}

// binding begins a statement that applies a change.
func binding(c change.Change) *binder {
	if c.Join == nil {
		return &binder{}
	}
	return &binder{target: Quote(c.Table.Name) + "."}
}

// value adds an argument and gives its placeholder.
func (b *binder) value(value any, sqlType string) string {
	if b.literally {
		return literal(fmt.Sprint(value)) + "::" + sqlType
	}
	b.args = append(b.args, value)
	return fmt.Sprintf("$%d::%s", len(b.args), sqlType)
}

// point adds a key's columns up to a length.
func (b *binder) point(key []keyset.Column, point keyset.Point) []string {
	values := make([]string, len(point))
	for i := range point {
		values[i] = b.value(point[i], key[i].Type)
	}
	return values
}

// expression puts placeholders in place of the parameters; each parameter travels once.
func (b *binder) expression(text string, params []change.Param) string {
	parsed, _ := expression.Parse(text) // the catalog refused it otherwise
	return parsed.Bind(func(name string) string {
		if placeholder, ok := b.params[name]; ok {
			return placeholder
		}
		for _, param := range params {
			if param.Name == name {
				if b.params == nil {
					b.params = map[string]string{}
				}
				b.params[name] = b.value(param.Value, param.Type)
				return b.params[name]
			}
		}
		return "@" + name
	})
}

// quoted lists the key's columns.
func quoted(key []keyset.Column) []string {
	names := make([]string, len(key))
	for i, column := range key {
		names[i] = Quote(column.Name)
	}
	return names
}

// row is one name, or several as a row.
func row(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
