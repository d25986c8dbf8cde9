package rehearsal

import (
	"fmt"

	"backfill/internal/change"
	"backfill/internal/prospect"
	"backfill/internal/striping"
)

// locks says what a batch holds, and against whom. Reads are never in its way, nor it in theirs.
func locks(c change.Change) []string {
	what := "each row that is written, until its batch commits"
	tables := c.Table.String()
	switch {
	case c.Kind == change.Delete:
		what = "each row that is deleted, until its batch commits"
	case c.Copy != nil:
		tables += " and " + c.Copy.Into.String()
		what = fmt.Sprintf("each row that is %s, and each that is written, until its batch commits", c.Kind.Deed())
	}
	return []string{
		fmt.Sprintf("ROW EXCLUSIVE on %s for the time of a batch, 50 to 100 ms as a rule: reads and writes of other rows go on", tables),
		what + "; a batch that waits for a lock gives up after 200 ms and comes back smaller",
		"between two batches nothing is locked: ALTER TABLE, VACUUM FULL and CREATE INDEX find a gap, and batches wait for them",
	}
}

// conclude reckons what the run would take.
func (l *look) conclude() {
	extent := l.found.Extent
	table := prospect.Relation{Indexes: l.facts.Indexes}
	if extent.Rows > 0 {
		table.RowBytes = l.facts.Bytes / extent.Rows
	}
	l.found.Estimate = extent.Estimate(l.change, table, l.passes > striping.Plain)
}
