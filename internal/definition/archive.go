package definition

import "backfill/internal/change"

// archived settles that rows are archived before they are deleted: a kind of its own, so that no worker that does not know it
// deletes them without.
func (r *reader) archived(d *Definition, given []entry) {
	for _, e := range given {
		switch {
		case e.name != "archive":
		case d.Kind == change.Delete:
			d.Kind = change.Archived
		default:
			r.refuse(e.key, e.name, "it goes with delete", "remove it; undo keeps what a run overwrites")
		}
	}
}
