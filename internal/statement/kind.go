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
	// kept is what Keep stores to tell later whether a row still is as the run left it, an aggregate over what apply gives, and
	// the condition under which anything may be kept.
	kept(bind *binder, c change.Change) (marks, condition string)
	// restore makes the rows of backfill_image what they were.
	restore(c change.Change) restoring
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
	}
	return unknown{}
}

// FormFor chooses how a batch gets at what it overwrites, on a server of that version.
func FormFor(c change.Change, major int) Form { return of(c).form(c, major) }

type unknown struct{}

const unheardOf = "a kind of change that this version does not know"

func (unknown) form(change.Change, int) Form                          { return Forget }
func (unknown) apply(*binder, change.Change, string, Form) string     { return unheardOf }
func (unknown) plain(*binder, change.Change, string) string           { return unheardOf }
func (unknown) kept(*binder, change.Change) (marks, condition string) { return unheardOf, "" }
func (unknown) restore(change.Change) restoring                       { return restoring{cte: unheardOf} }
