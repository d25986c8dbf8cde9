package catalog

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/definition"
)

// chooseKey settles the columns by which the table is walked: those that the definition names, else the primary key.
func (r *resolver) chooseKey() {
	names, path, what := r.definition.Key, "key", ""
	if r.definition.Refused(path) {
		return
	}
	if len(names) == 0 {
		path, what = "table", "the primary key "
		primary := slices.IndexFunc(r.indexes, func(i index) bool { return i.Primary })
		if primary < 0 {
			r.refuse(path, 0, r.table.Name+" has no primary key", r.otherKeys())
			return
		}
		names = r.indexes[primary].Columns
	}
	for i, name := range names {
		r.addKeyColumn(name, columnPath(r.definition, path, i))
	}
	if len(r.key) < len(names) {
		return
	}
	if message, remedy := r.unindexed(what+list(names), names); message != "" {
		r.refuse(path, 0, message, remedy)
	}
}

// columnPath is the path of the key's i-th column: a list has one for each.
func columnPath(d definition.Definition, path string, i int) string {
	if path == "key" && len(d.Key) > 1 {
		return fmt.Sprintf("key[%d]", i)
	}
	return path
}

// addKeyColumn takes a column into the key, or says why it cannot be part of one.
func (r *resolver) addKeyColumn(name, path string) {
	found, ok := r.column(name)
	switch {
	case !ok:
		r.refuse(path, 0, fmt.Sprintf("table %s has no column %s", r.table.Name, display(name)), definition.DidYouMean(name, r.columnNames()))
		return
	case !found.Enum && !keyTypes[found.Base]:
		r.refuse(path, 0, fmt.Sprintf("key column %s has type %s, which cannot be walked", display(name), found.Type),
			"use a key of integers, uuid, text, timestamps, date, numeric, bytea or enums")
	case !found.NotNull:
		r.refuse(path, 0, fmt.Sprintf("key column %s may be NULL, and a NULL has no place in a range", display(name)),
			fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL, or use another key", r.table.Name, display(name)))
	}
	r.key = append(r.key, found)
}

// keyTypes are the types whose text is exact and whose btree order is total.
var keyTypes = map[string]bool{
	"smallint": true, "integer": true, "bigint": true, "uuid": true, "text": true, "character varying": true,
	"character": true, "bpchar": true, "timestamp without time zone": true, "timestamp with time zone": true, "date": true,
	"numeric": true, "bytea": true,
}

// unindexed says why no index carries the key that is called what, "" if one does.
func (r *resolver) unindexed(what string, names []string) (message, remedy string) {
	var reasons []string
	for _, i := range r.indexes {
		complaint := i.complaint()
		switch {
		case slices.Equal(i.Columns, names) && complaint == "":
			return "", ""
		case slices.Equal(i.Columns, names):
			reasons = append(reasons, fmt.Sprintf("index %s %s", display(i.Name), complaint))
		case i.covers(names) && complaint == "":
			return fmt.Sprintf("%s is not in the order of index %s", what, display(i.Name)), "write key: " + list(i.Columns)
		}
	}
	if len(reasons) > 0 {
		return fmt.Sprintf("%s has no index to walk: %s", what, strings.Join(reasons, "; ")), r.otherKeys()
	}
	return what + " has no unique index with exactly these columns", r.otherKeys()
}

// otherKeys names the keys that would do.
func (r *resolver) otherKeys() string {
	var keys []string
	for _, i := range r.indexes {
		if i.complaint() == "" && r.columns.walkable(i) {
			keys = append(keys, list(i.Columns))
		}
	}
	if len(keys) == 0 {
		return "CREATE UNIQUE INDEX CONCURRENTLY on columns that are NOT NULL, and name them as key"
	}
	return "write key: " + strings.Join(keys, " or ")
}

// walkable tells whether the columns of an index can be a key: none is ever NULL, and the text of each is exact.
func (c columns) walkable(i index) bool {
	for _, name := range i.Columns {
		if found, ok := c.named(name); !ok || !found.NotNull || !found.Enum && !keyTypes[found.Base] {
			return false
		}
	}
	return true
}
