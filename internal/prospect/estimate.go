package prospect

import (
	"fmt"

	"backfill/internal/change"
	"backfill/internal/figure"
)

// Estimate is what a run would take. Nothing of it was measured on this table.
type Estimate struct {
	Seconds     Figure   `json:"seconds"`
	WALBytes    Figure   `json:"wal_bytes"`
	GrowthBytes Figure   `json:"growth_bytes"` // of the table and its indexes, until VACUUM has made room
	UndoBytes   Figure   `json:"undo_bytes"`
	Assumed     []string `json:"assumed"`
}

// Relation is the table as the catalog knows it.
type Relation struct {
	RowBytes int64 // of a row on its page, without what is in TOAST
	Indexes  int64 // that every row that moves has a new entry in
}

// What was seen elsewhere (docs/performance.md, and TestTheEstimateBesideTheRun beside other work): slow and quick, in rows/s of a run.
const (
	slowWrites, quickWrites = 10_000, 300_000
	slowReads, quickReads   = 200_000, 1_000_000
	// record is what WAL adds to a row.
	record = 64
	// An entry of an index in WAL, with its part of the page images, and on its page, with its part of pages that were split.
	leastLogged, mostLogged   = 30, 150
	leastEntry, mostEntry     = 30, 110
	leastUndo, mostUndo       = 4, 25
	leastDeleted, mostDeleted = 0.25, 1.0 // of a row, in undo
	// A row of WAL has what has changed of it; of one on the same page less. Twice where the page's image is written as well.
	leastMoved, leastStayed, mostWritten = 0.75, 0.3, 2.0
	// The growth by a row: where passes pay, where they do not (autovacuum may come by in the middle), and pages that are added ahead.
	leastPassed, leastKept, mostKept = 0.08, 0.5, 1.1
)

// per is what a row that is written takes, in bytes.
type per struct{ least, most float64 }

func (p per) of(rows Figure) Figure {
	return Figure{int64(float64(rows.Value) * (p.least + p.most) / 2), int64(float64(rows.From) * p.least), int64(float64(rows.To) * p.most)}
}

// Estimate reckons from the rows that would be written; nil where those are not known. Passes: chunks are gone over in passes.
func (e Extent) Estimate(c change.Change, table Relation, passes bool) *Estimate {
	if e.ToWrite == nil {
		return nil
	}
	row, indexes := float64(table.RowBytes), float64(table.Indexes)
	wal := per{leastMoved*row + record + indexes*leastLogged, mostWritten*row + 2*record + indexes*mostLogged}
	growth := per{leastKept*row + indexes*leastEntry, mostKept*row + indexes*mostEntry}
	undo := per{leastUndo, mostUndo}
	why := fmt.Sprintf("growth: each row that is written leaves a dead one, and an entry in each of %s", figure.Plural(table.Indexes, "index", "indexes"))
	switch {
	case c.Kind == change.Delete:
		wal, growth, undo = per{record / 2, row + 2*record}, per{}, per{leastDeleted * row, mostDeleted * row}
		why = "growth: a deletion has none; VACUUM makes its room free"
	case c.Copy != nil:
		// Rows of the target are new, and told by their hash; those that are moved are kept whole as well.
		wal, growth = per{leastMoved*row + record, mostWritten*row + 2*record + indexes*mostLogged}, per{leastMoved * row, mostWritten*row + indexes*mostEntry}
		why = "growth: that of the target, taken for as wide as the table and with as many indexes"
		if c.Kind == change.Move {
			undo = per{leastDeleted * row, mostDeleted * row}
		}
	case passes:
		wal.least, growth.least = leastStayed*row+record, leastPassed*row
		why = "growth: passes find room on the same page; the most is where an open transaction, or autovacuum at work, keeps them from it"
	}
	if !c.Undo {
		undo = per{}
	}
	wal.least, wal.most = wal.least+undo.least, wal.most+undo.most
	return &Estimate{Seconds: e.seconds(), WALBytes: wal.of(*e.ToWrite), GrowthBytes: growth.of(*e.ToWrite), UndoBytes: undo.of(*e.ToWrite),
		Assumed: []string{fmt.Sprintf("speed: %s to %s rows/s written and %s to %s read, as elsewhere; users, limits and windows make it longer",
			figure.Count(slowWrites), figure.Count(quickWrites), figure.Count(slowReads), figure.Count(quickReads)),
			fmt.Sprintf("WAL: of a row of %s what has changed, up to all of it twice (full_page_writes), and its undo", figure.Bytes(row)), why}}
}

// seconds are those of the rows that are written, and of those that are only read.
func (e Extent) seconds() Figure {
	at := func(written, rows int64, writes, reads float64) int64 {
		return int64(float64(written)/writes + float64(max(rows-written, 0))/reads + 1)
	}
	slow, quick := at(e.ToWrite.To, e.Rows, slowWrites, slowReads), at(e.ToWrite.From, e.Rows, quickWrites, quickReads)
	return Figure{(slow + quick) / 2, quick, slow}
}
