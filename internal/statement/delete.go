package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// deletion deletes rows. A DELETE gives what it deleted as it was then, on every version: a row that users change
// meanwhile is locked, judged anew by its new version, and given as that.
type deletion struct{}

func (deletion) form(c change.Change, _ int) Form {
	if !c.Undo {
		return Forget
	}
	return Returning
}

func (d deletion) apply(bind *binder, c change.Change, keys string, form Form) string {
	gives := "1"
	if form != Forget {
		gives = list(named("k", quoted(c.Key)), named("o", columns(c.Columns())))
	}
	return fmt.Sprintf("backfill_changed AS (%s\nRETURNING %s)", d.plain(bind, c, keys), gives)
}

func (deletion) plain(bind *binder, c change.Change, keys string) string {
	if c.Where != "" {
		keys += fmt.Sprintf("\n  AND CASE WHEN %s THEN true END", bind.expression(c.Where, c.Params)) // see scope
	}
	return fmt.Sprintf("DELETE FROM %s\nWHERE %s", Table(c.Table), keys)
}

// images has no marks: nothing is left to be told apart. A column that was added since the run began would be lost with the
// row, so nothing is deleted then.
func (deletion) images(bind *binder, c change.Change) []image {
	return []image{{from: "backfill_changed", olds: c.Columns(), marks: "''::bytea", condition: " WHERE " + whole(bind, c)}}
}

func (deletion) olds(c change.Change, _ int) []change.Column { return c.Columns() }

func whole(bind *binder, c change.Change) string {
	return fmt.Sprintf("backfill.whole(%s, %s)", bind.value(Table(c.Table), "text"), bind.value(rowNames(c), "text[]"))
}

// rowNames are the columns of a row that is deleted, those of the key first.
func rowNames(c change.Change) []string {
	names := make([]string, 0, len(c.Key)+len(c.Row))
	for _, column := range c.Key {
		names = append(names, column.Name)
	}
	for _, column := range c.Row {
		names = append(names, column.Name)
	}
	return names
}

// restore inserts the rows again. One whose key, or another value that has to be unique, is taken by now stays out. With a
// constraint that is deferrable there is no ON CONFLICT: the batch fails as with any other constraint.
func (deletion) restore(c change.Change, _ int) restoring {
	same := make([]string, len(c.Key))
	for i := range same {
		same[i] = fmt.Sprintf("r.r%[1]d = i.k%[1]d", i+1)
	}
	return restoring{same: strings.Join(same, " AND "), absent: "r.r1",
		why: "another row has its key, or a value that has to be unique; or a trigger kept it out",
		cte: "backfill_restored AS (" + putBack(c, "backfill_image") + ")"}
}

// putBack inserts rows as they were, and gives their keys.
func putBack(c change.Change, rows string) string {
	names, values := quoted(c.Key), numbered("k", len(c.Key))
	gives := named("r", names)
	for i, column := range c.Row {
		names, values = append(names, Quote(column.Name)), append(values, fmt.Sprintf("o%d::%s", i+1, column.Type))
	}
	unless := "ON CONFLICT DO NOTHING "
	if c.Deferrable {
		unless = ""
	}
	return fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE\nSELECT %s FROM %s ORDER BY n\n%sRETURNING %s",
		Table(c.Table), strings.Join(names, ", "), strings.Join(values, ", "), rows, unless, gives)
}
