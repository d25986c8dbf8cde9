package statement

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
)

// archived deletes rows and puts them into the archive, in one statement. A rollback moves back those that the archive still has
// as they were.
type archived struct{ deletion }

func (a archived) apply(bind *binder, c change.Change, keys string, _ Form) string {
	names, values, generated := archiving(c)
	gives := list(named("k", quoted(c.Key)), named("o", columns(c.Columns())), strings.Join(generated, ", "))
	return fmt.Sprintf("backfill_deleted AS (%s\nRETURNING %s),\n"+
		"backfill_archived AS (INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE\nSELECT %s FROM backfill_deleted RETURNING 1),\n"+
		"backfill_changed AS MATERIALIZED (SELECT * FROM backfill_deleted\nWHERE (SELECT %s AND "+
		"backfill.archived((SELECT count(*) FROM backfill_deleted), (SELECT count(*) FROM backfill_archived))))",
		a.plain(bind, c, keys), gives, Table(c.Archive.Table), strings.Join(names, ", "), strings.Join(values, ", "), whole(bind, c))
}

// archiving lists the archive's columns, what is copied into each, and what a deletion gives beside the row: columns that Postgres
// generates, and the archive keeps.
func archiving(c change.Change) (names, values, generated []string) {
	row := append(numbered("k", len(c.Key)), numbered("o", len(c.Row))...)
	for i, column := range c.Archive.Row {
		names = append(names, Quote(column.Name))
		if place := slices.Index(rowNames(c), column.Name); place >= 0 {
			values = append(values, row[place])
			continue
		}
		values = append(values, fmt.Sprintf("g%d", i+1))
		generated = append(generated, fmt.Sprintf("%s AS g%d", Quote(column.Name), i+1))
	}
	return names, values, generated
}

// restore moves rows back of which the archive has one of the same content; of several such it takes one. Users may change the
// archive at the same time: then fewer rows are taken out of it than were put back, and nothing of it commits. What is put back is
// found in the archive by a full join, as conflicts are (see Restore).
func (a archived) restore(c change.Change, part int) restoring {
	how, m, table := a.deletion.restore(c, part), matching(c), Table(c.Archive.Table)
	how.cte = fmt.Sprintf(`backfill_archived AS MATERIALIZED (SELECT DISTINCT ON (i.n) i.n, %s, a.tableoid AS backfill_tableoid, a.ctid AS backfill_ctid
FROM backfill_image AS i JOIN %s AS a ON %s
WHERE ROW(%s)::record *= ROW(%s)::record ORDER BY i.n),
backfill_inserted AS (%s),
backfill_back AS MATERIALIZED (SELECT f.* FROM backfill_archived AS f FULL JOIN backfill_inserted AS r ON %s
WHERE CASE WHEN r.r1 IS NULL THEN false ELSE true END),
backfill_unarchived AS (DELETE FROM %s AS a USING backfill_back AS i
WHERE %s AND a.tableoid = i.backfill_tableoid AND a.ctid = i.backfill_ctid RETURNING 1),
backfill_restored AS MATERIALIZED (SELECT * FROM backfill_inserted
WHERE (SELECT backfill.written((SELECT count(*) FROM backfill_unarchived), (SELECT count(*) FROM backfill_inserted))) >= 0)`,
		strings.Join(prefixed("i.", numbered("k", len(c.Key))), ", "), table, m.key, m.holds, m.was,
		putBack(c, "backfill_image WHERE n IN (SELECT n FROM backfill_archived)"), strings.ReplaceAll(how.same, "i.", "f."), table, m.key)
	how.or, how.orWhy = "i.n NOT IN (SELECT n FROM backfill_archived)", "the archive has its row no more, or not as it was put there"
	return how
}

// match is how a row of the archive (a) is found by one that was kept (i): its key, what it holds, and what it was given.
type match struct{ key, holds, was string }

func matching(c change.Change) match {
	key, names := make([]string, len(c.Key)), rowNames(c)
	var holds, was []string
	for _, column := range c.Archive.Row {
		place := slices.Index(names, column.Name)
		if place < 0 {
			continue
		}
		name := "a." + Quote(column.Name)
		value := fmt.Sprintf("i.k%d::%s", place+1, column.Type)
		if own := place - len(key); own >= 0 {
			value = fmt.Sprintf("i.o%d::%s::%s", own+1, c.Row[own].Type, column.Type)
		} else {
			key[place] = name + " = " + value
		}
		holds, was = append(holds, name), append(was, value)
	}
	return match{key: strings.Join(key, " AND "), holds: strings.Join(holds, ", "), was: strings.Join(was, ", ")}
}
