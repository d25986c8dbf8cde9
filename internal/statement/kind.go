package statement

import "backfill/internal/change"

// kind is what the statements of a kind of change have of their own. What they have in common walks the key (walk,
// ranges, stripe), and keeps, reads and consumes undo (keep, restore).
type kind interface {
	// form chooses how a change gets at what it overwrites, on a server of that version.
	form(c change.Change, major int) Form
	// apply makes the CTEs of Apply for the rows of the keys that a condition has.
	apply(bind *binder, c change.Change, keys string, form Form) string
	// plain is the statement of apply by itself, without undo.
	plain(bind *binder, c change.Change, keys string) string
	// images lists what Keep stores to tell later whether a row still is as the run left it.
	images(bind *binder, c change.Change) []image
	// olds are the columns whose values a part of undo has.
	olds(c change.Change, part int) []change.Column
	// restore makes the rows of backfill_image what they were.
	restore(c change.Change, part int) restoring
}

// image is a row of backfill.undo: the rows of a CTE, with the columns whose values are kept (o1 ..), an aggregate of marks, and the
// condition under which anything may be kept.
type image struct {
	from             string
	olds             []change.Column
	marks, condition string
}

// of finds the kind of a change. One that this build does not know has statements that no server takes: it must never be
// run as another.
func of(c change.Change) kind {
	switch c.Kind {
	case change.Set:
		return set{}
	case change.Delete:
		return deletion{}
	case change.Archived:
		return archived{}
	case change.Joined:
		return joined{}
	case change.Copy:
		return copying{}
	case change.Move:
		return moving{}
	case change.Transform:
		return transformed{}
	}
	return unknown{}
}

// FormFor chooses how a batch gets at what it overwrites, on a server of that version.
func FormFor(c change.Change, major int) Form { return of(c).form(c, major) }

type unknown struct{}

const unheardOf = "a kind of change that this version does not know"

func (unknown) form(change.Change, int) Form                      { return Forget }
func (unknown) apply(*binder, change.Change, string, Form) string { return unheardOf }
func (unknown) plain(*binder, change.Change, string) string       { return unheardOf }
func (unknown) images(*binder, change.Change) []image             { return []image{{marks: unheardOf}} }
func (unknown) olds(change.Change, int) []change.Column           { return nil }
func (unknown) restore(change.Change, int) restoring              { return restoring{cte: unheardOf} }
