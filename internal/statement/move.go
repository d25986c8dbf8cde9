package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// moving deletes rows, and inserts into another table, the target, what becomes of them. A DELETE gives what it deleted as it was then: a
// row that users change meanwhile is locked, judged anew, and moved as it is.
type moving struct{ copying }

func (moving) plain(bind *binder, c change.Change, keys string) string {
	return deletion{}.plain(bind, c, keys)
}

func (m moving) apply(bind *binder, c change.Change, keys string, form Form) string {
	deleted, gives := m.plain(bind, c, keys), computed(bind, c)
	if form != Forget {
		gives = append([]string{named("o", columns(c.Row))}, gives...)
	}
	found := fmt.Sprintf("backfill_found AS (%s\nRETURNING %s),\n", deleted, list("1", list(gives...)))
	if c.Copy.OnConflict == change.Update {
		return found + merge(bind, c)
	}
	inserted, moved := "1", "SELECT 1 FROM backfill_written"
	if form != Forget {
		same := targetKey(bind, c)
		for i := range same {
			same[i] = fmt.Sprintf("k%d = %s", i+1, same[i])
		}
		inserted, moved = copied(c), outer("backfill_written", "backfill_found", "ON "+strings.Join(same, " AND "))
	}
	// A row that a trigger keeps out of the target, or gives another key there, would be gone.
	return fmt.Sprintf("%sbackfill_written AS (%s\nFROM backfill_found\nRETURNING %s),\nbackfill_moved AS (%s),\n"+
		"backfill_changed AS (SELECT 1 FROM backfill_moved UNION ALL SELECT 1 WHERE NOT backfill.moved(\n"+
		"  (SELECT count(*) FROM backfill_found), (SELECT count(*) FROM backfill_moved)))", found, inserting(bind, c), inserted, moved)
}

// images have the whole row by the key that it has in the target, and tell that row by all of its columns.
func (moving) images(bind *binder, c change.Change) []image {
	images := deletion{}.images(bind, c)
	images[0].from, images[0].olds = "backfill_moved", c.Row
	images[0].marks = marks(numbered("n", len(c.Copy.Row)), c.Copy.Row)
	return images
}

func (moving) olds(c change.Change, _ int) []change.Column { return c.Row }

// restore takes rows of the target that are as they were inserted, and puts back what they were made of: both, or none. Where there is no
// place for one any more the batch fails as with any other constraint.
func (moving) restore(c change.Change, _ int) restoring {
	names, values := columns(c.Row), make([]string, len(c.Row))
	for i, column := range c.Row {
		values[i] = fmt.Sprintf("o%d::%s", i+1, column.Type)
	}
	return restoring{same: "r.n = i.n", absent: "r.n", cte: fmt.Sprintf(`backfill_taken AS (%s),
backfill_put AS (INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE
SELECT %s FROM backfill_image WHERE n IN (SELECT n FROM backfill_taken) ORDER BY n
RETURNING 1),
backfill_restored AS MATERIALIZED (SELECT n FROM backfill_taken WHERE backfill.moved(
  (SELECT count(*) FROM backfill_taken), (SELECT count(*) FROM backfill_put)))`,
		takeBack(c), Table(c.Table), strings.Join(names, ", "), strings.Join(values, ", "))}
}

// counterpart is what a column of a row that was moved is in the target, NULL where it is not copied as it is.
func counterpart(c change.Change, column change.Column) string {
	for _, assignment := range c.Copy.Columns {
		if assignment.Expression == column.Name || assignment.Expression == Quote(column.Name) {
			return "backfill_row." + Quote(assignment.Column)
		}
	}
	return "NULL"
}
