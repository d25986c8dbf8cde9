package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/expression"
)

// compared builds the form Compared. Each expression is computed once a row: backfill_found has what would be written as well
// (backfill_n1 ..), of the expression's own type, so that the assignment casts it as any other. A lone string or NULL has no
// type before it is assigned, so it stays where it is. OFFSET 0 keeps the planner from merging the two levels, which would
// compute the rest twice. The names of found must be none of the table's: an assignment is resolved beside it.
func compared(bind *binder, c change.Change, keys string) string {
	var values, sets, casts []string
	for i, assignment := range c.Set {
		value := "(" + bind.expression(assignment.Expression, c.Params) + ")"
		if parsed, _ := expression.Parse(assignment.Expression); !parsed.Untyped() {
			name := fmt.Sprintf("backfill_n%d", i+1)
			values, value = append(values, ", "+value+" AS "+name), "backfill_found."+name
			casts = append(casts, name+"::"+assignment.Type)
		} else {
			casts = append(casts, value+"::"+assignment.Type)
		}
		sets = append(sets, Quote(assignment.Column)+" = "+value)
	}
	key, written, table, target := quoted(c.Key), columns(c.Columns()), Table(c.Table), Quote(c.Table.Name)
	if c.Where != "" {
		keys += fmt.Sprintf("\n  AND CASE WHEN %s THEN true END", bind.expression(c.Where, c.Params)) // see scope
	}
	found := fmt.Sprintf("SELECT ctid AS backfill_ctid, xmin AS backfill_xmin, %s, %s%s FROM %s\nWHERE %s",
		named("backfill_k", key), named("backfill_o", written), strings.Join(values, ""), table, keys)
	if !c.Volatile {
		found = fmt.Sprintf("SELECT * FROM (%s OFFSET 0) AS backfill_read\nWHERE ROW(%s)::record *<> ROW(%s)::record",
			found, strings.Join(numbered("backfill_o", len(c.Set)), ", "), strings.Join(casts, ", "))
	}
	return fmt.Sprintf("backfill_found AS MATERIALIZED (%s),\n"+
		"backfill_changed AS (UPDATE %s SET %s FROM backfill_found\nWHERE %s.ctid = backfill_ctid AND %s.xmin = backfill_xmin\nRETURNING %s, %s, %s)",
		found, table, strings.Join(sets, ", "), target, target,
		renamed("k", len(key)), renamed("o", len(written)), named("n", qualified(target, written)))
}
