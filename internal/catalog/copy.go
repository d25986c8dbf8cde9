package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// copying inserts rows into another table, the target, and takes them away again in a rollback.
type copying struct{}

// events are of the table that is read; those of the target are asked for with it.
func (copying) events(*resolver) []string { return nil }

func (copying) check(ctx context.Context, r *resolver) error {
	fits, err := r.findTarget(ctx)
	if err != nil || !fits {
		return err
	}
	r.mapColumns()
	r.chooseTargetKey()
	if found := r.lacking(); len(found) > 0 {
		r.refuseRights("copy.into", r.target.table, found)
	}
	var given []string
	for _, assignment := range r.target.filled {
		given = append(given, assignment.Column)
	}
	if err := r.checkSequences(ctx, "copy.into", r.target.table, given); err != nil {
		return err
	}
	return r.checkReferences(ctx)
}

// checkReferences: a rollback deletes rows of the target, as a deletion does.
func (r *resolver) checkReferences(ctx context.Context) (err error) {
	if !r.definition.Undo {
		return nil
	}
	r.target.refers, err = r.references(ctx, r.target.table)
	for _, f := range r.target.refers {
		if message, remedy := f.stays(); message != "" {
			r.refuse("copy.into", 0, message, remedy)
		}
	}
	return err
}

// rights: to lock a row that is read takes the right to update one of its columns.
func (copying) rights(r *resolver) []string {
	if r.table.Lockable || len(r.key) == 0 {
		return nil
	}
	return []string{"UPDATE (" + display(r.key[0].Name) + ")"}
}

// probes puts a column's expression into an INSERT, so that types and functions are judged as in the real one.
func (copying) probes(r *resolver) (probes []probe) {
	behind := ") FROM " + r.quoted() + " FOR NO KEY UPDATE"
	for _, assignment := range r.definition.Copy.Columns {
		p := probe{path: "copy.columns." + assignment.Column, expression: assignment.Expression, before: "SELECT (", behind: behind}
		if found, ok := r.target.columns.named(assignment.Column); ok && !found.Generated {
			p.before = fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT (", r.target.quoted(r), quote(assignment.Column))
		}
		probes = append(probes, p)
	}
	return append(probes, r.unnamed()...)
}

// unnamed are the probes of columns that are copied by their name alone.
func (r *resolver) unnamed() (probes []probe) {
	if len(r.definition.Copy.Columns) > 0 {
		return nil
	}
	for _, assignment := range r.target.filled {
		probes = append(probes, probe{path: "copy", expression: assignment.Expression, behind: ") FROM " + r.quoted(),
			before: fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT (", r.target.quoted(r), quote(assignment.Column))})
	}
	return probes
}

func (copying) unsteady(r *resolver, p probe) {
	if p.path == "where" {
		r.warn("where is volatile: which rows are in scope depends on the moment")
		return
	}
	r.volatile = true
	r.warn("%s is volatile: each row that is copied gets a value of its own", p.path)
}

func (copying) complete(r *resolver, c *change.Change) {
	copied := &change.Copying{Into: r.definition.Copy.Into, OnConflict: r.definition.Copy.OnConflict}
	for _, found := range r.target.key {
		copied.Key = append(copied.Key, keyset.Column{Name: found.Name, Type: found.Type})
		copied.Collations = append(copied.Collations, found.Collation)
	}
	for _, assignment := range r.target.filled {
		found, _ := r.target.columns.named(assignment.Column)
		copied.Columns = append(copied.Columns, change.Assignment{
			Column: found.Name, Type: found.Type, Base: found.Base, Expression: assignment.Expression.String(),
		})
		copied.Overriding = copied.Overriding || found.Always
	}
	for _, found := range r.target.columns {
		if c.Undo && !found.Generated {
			copied.Row = append(copied.Row, change.Column{Name: found.Name, Type: found.Type, Base: found.Base})
		}
		// A default that is computed gives another value when a batch that a crash took back is done again.
		c.Volatile = c.Volatile || r.target.byDefault(found) && (found.Numbers || strings.Contains(found.Default, "("))
	}
	c.Copy = copied
}

// Triggers and foreign keys of the target, and what the table that is read is a part of.
const copyNotes = `SELECT format('trigger %I of %s fires for each row that is ' || what, tgname, tgrelid::regclass) FROM pg_trigger
	JOIN (VALUES (4, 'copied', true), (16, 'updated', $3), (8, 'taken back', $4)) AS fires (event, what, does) ON tgtype & event <> 0 AND does
	WHERE tgrelid = $2 AND NOT tgisinternal AND tgenabled <> 'D'
UNION ALL
SELECT format('foreign key %I of %s: each row that is copied is looked up in %s', conname, conrelid::regclass, confrelid::regclass)
	FROM pg_constraint WHERE conrelid = $2 AND contype = 'f'
UNION ALL
SELECT format('the table is a partition of %s: rows in other partitions stay as they are', inhparent::regclass)
	FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhrelid = $1 AND c.relispartition
ORDER BY 1`

func (copying) note(ctx context.Context, r *resolver) error {
	for _, f := range r.target.refers {
		r.warn("foreign key %s of %s: a rollback leaves a row alone that is referred to there", f.Name, f.Of)
	}
	r.noteColumns()
	return r.read(ctx, copyNotes, r.table.OID, r.target.OID, r.updates(), r.definition.Undo)
}

// noteColumns tells of columns that have no part in the copy, and of sequences that do not follow it.
func (r *resolver) noteColumns() {
	var left, others []string
	for _, name := range r.columnNames() {
		if _, ok := r.target.columns.named(name); !ok && len(r.definition.Copy.Columns) == 0 {
			left = append(left, display(name))
		}
	}
	for _, found := range r.target.columns {
		switch {
		case r.target.byDefault(found):
			others = append(others, display(found.Name))
		case found.Numbers && !found.Generated:
			r.warn("column %s of %s numbers rows by itself, and gets its numbers from the copy; set its sequence when the run has ended: %s",
				display(found.Name), r.target.Name, setval(r.target.table, found))
		}
	}
	if len(left) > 0 && r.definition.Kind == change.Copy {
		r.warn("%s has no columns %s: they are not copied", r.target.Name, strings.Join(left, ", "))
	}
	if len(others) > 0 {
		r.warn("columns of %s that are given nothing have their defaults: %s", r.target.Name, strings.Join(others, ", "))
	}
}

// setval is the statement that sets the sequence of a column behind its greatest number.
func setval(of table, c column) string {
	literal := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	return fmt.Sprintf("SELECT setval(pg_get_serial_sequence(%s, %s), max(%s)) FROM %s", literal(of.Name), literal(c.Name), display(c.Name), of.Name)
}

// updates tells whether a row that is there already gets the values of the row that is copied.
func (r *resolver) updates() bool { return r.definition.Copy.OnConflict == change.Update }

// lacking lists the rights to the target that the role lacks.
func (r *resolver) lacking() (rights []string) {
	t, undo := r.target, r.definition.Undo
	fillable, writable := true, []string(nil)
	for _, assignment := range t.filled {
		found, _ := t.columns.named(assignment.Column)
		fillable = fillable && found.Fillable
		if r.updates() && !found.Writable && !t.inKey(found.Name) {
			writable = append(writable, display(found.Name))
		}
	}
	if !t.Insertable && !fillable {
		rights = append(rights, "INSERT")
	}
	if (undo || r.updates()) && slices.ContainsFunc(t.columns, func(c column) bool { return !c.Readable }) {
		rights = append(rights, "SELECT")
	}
	if len(writable) > 0 {
		rights = append(rights, "UPDATE ("+strings.Join(writable, ", ")+")")
	}
	if undo && !t.Deletable {
		rights = append(rights, "DELETE")
	}
	return rights
}
