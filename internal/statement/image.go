package statement

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
)

// exact are the types, under all domains, of which equal values have equal images (what btree calls equalimage), texts compared
// by bytes. Two numerics, floats, intervals or citexts may be equal and not the same.
var exact = []string{
	"boolean", "smallint", "integer", "bigint", "oid", "uuid", "bytea", "text", "character varying",
	"date", "time without time zone", "timestamp without time zone", "timestamp with time zone",
}

// unlike is the condition that what is stored is not what would be written, image by image. A record is made where it
// must be: to make and compare two takes half of what it takes to read a row that is right already.
func unlike(stored, written []string, columns []change.Column) string {
	var apart, left, right []string
	for i, column := range columns {
		if !slices.Contains(exact, column.Base) {
			left, right = append(left, stored[i]), append(right, written[i])
			continue
		}
		by := ""
		if slices.Contains([]string{"text", "character varying"}, column.Base) {
			by = ` COLLATE "C"`
		}
		apart = append(apart, fmt.Sprintf("%s%s IS DISTINCT FROM %s%[2]s", stored[i], by, written[i]))
	}
	if len(left) > 0 {
		apart = append(apart, fmt.Sprintf("ROW(%s)::record *<> ROW(%s)::record", strings.Join(left, ", "), strings.Join(right, ", ")))
	}
	if len(apart) == 1 {
		return apart[0]
	}
	return "(" + strings.Join(apart, " OR ") + ")"
}
