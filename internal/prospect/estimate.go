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

// What was seen elsewhere (docs/performance.md): slow and quick, in rows/s of a run.
const (
	slowWrites, quickWrites = 20_000, 300_000
	slowReads, quickReads   = 200_000, 1_000_000
	// overhead of a record of WAL, and of an entry of an index with its part of the page images.
	record, leastEntry, mostEntry = 64, 30, 150
	// left of the growth where passes pay: the first pass finds no room.
	leastLeft, mostLeft = 0.08, 0.35
	// kept of it where they do not: some rows find the room of those before them.
	leastKept = 0.8
)

// Estimate reckons from the rows that would be written; nil where those are not known. Passes: chunks are gone over in passes.
func (e Extent) Estimate(c change.Change, table Relation, passes bool) *Estimate {
	if e.ToWrite == nil {
		return nil
	}
	written, low, high := *e.ToWrite, float64(e.ToWrite.From), float64(e.ToWrite.To)
	between := func(least, most float64) Figure {
		return Figure{int64(float64(written.Value) * (least + most) / 2), int64(low * least), int64(high * most)}
	}
	row, indexes := float64(table.RowBytes), float64(table.Indexes)
	if passes || c.Kind == change.Delete { // indexes are left alone; those of a deletion by VACUUM, later
		indexes = 0
	}
	estimate := &Estimate{
		Seconds:     e.seconds(),
		WALBytes:    between(row+record+indexes*leastEntry, 2*row+2*record+indexes*mostEntry),
		GrowthBytes: between(leastKept*row+indexes*leastEntry, row+2*indexes*leastEntry),
		Assumed: []string{fmt.Sprintf("speed: %s to %s rows/s written and %s to %s read, as elsewhere; users, limits and windows make it longer",
			figure.Count(slowWrites), figure.Count(quickWrites), figure.Count(slowReads), figure.Count(quickReads)),
			fmt.Sprintf("WAL: a row of %s is written once or twice (full_page_writes), and its undo", figure.Bytes(row))},
	}
	switch {
	case c.Kind == change.Delete:
		estimate.WALBytes, estimate.GrowthBytes = between(record, row+2*record), Figure{}
		estimate.Assumed = append(estimate.Assumed, "growth: a deletion has none; VACUUM makes its room free")
	case passes:
		estimate.GrowthBytes = between(leastLeft*row, mostLeft*row)
		estimate.Assumed = append(estimate.Assumed, "growth: passes find room on the same page; an old transaction would keep them from it")
	default:
		estimate.Assumed = append(estimate.Assumed, fmt.Sprintf("growth: each row that is written leaves a dead one, and an entry in each of %s",
			figure.Plural(table.Indexes, "index", "indexes")))
	}
	if c.Undo {
		least, most := 5.0, 25.0
		if c.Kind == change.Delete {
			least, most = row/4, row
		}
		estimate.UndoBytes = between(least, most)
		estimate.WALBytes.Value += estimate.UndoBytes.Value
		estimate.WALBytes.From += estimate.UndoBytes.From
		estimate.WALBytes.To += estimate.UndoBytes.To
	}
	return estimate
}

// seconds are those of the rows that are written, and of those that are only read.
func (e Extent) seconds() Figure {
	at := func(written, rows int64, writes, reads float64) int64 {
		return int64(float64(written)/writes + float64(max(rows-written, 0))/reads + 1)
	}
	slow, quick := at(e.ToWrite.To, e.Rows, slowWrites, slowReads), at(e.ToWrite.From, e.Rows, quickWrites, quickReads)
	return Figure{(slow + quick) / 2, quick, slow}
}
