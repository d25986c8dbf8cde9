// Package striping decides in how many passes a chunk is gone over.
//
// Each pass takes every n-th key. When a pass has committed, Postgres prunes the dead rows that it left on each page, so
// that the next pass finds room on the same page: its updates are HOT (they leave the indexes alone), and the table does
// not grow. It owns the choice and its reason; it leaves the passes themselves to batch. Invariant: the choice follows from
// the catalog, from figures of batches that are committed and from where rows lie, so it can be made again.
package striping

import (
	"fmt"

	"backfill/internal/change"
	"backfill/internal/figure"
)

const (
	// Plain is one pass, in the order of the keys.
	Plain = 1
	// Passes: with 8 the HOT share is 85 %, with 16 it is 93 %; the first pass finds no room, so it cannot be more than 94 %.
	Passes = 16
	// Batches of a pass: with one, the transactions of other workers keep what a pass has freed from being used by the next
	// (measured: HOT 75 -> 58 %). A window of fewer keys has fewer, so that each has fewestRows.
	Batches = 4
	// WindowKeys bounds a window, whose keys are listed in the memory of a backend: a batch has at most 1,562 rows, which
	// hold their locks for 20 to 30 ms.
	WindowKeys = 100_000
	// fewestRows of a batch: below, it costs more than it saves.
	fewestRows = 390
	// fewestKeys of a chunk: a pass has a batch, and some more.
	fewestKeys = 400 * Passes
	// enoughKeys have to be seen before the share of them that was written says something: where users are at work, a first batch may
	// have been cut down to a row, and that one gone.
	enoughKeys = 100
	// writtenShare of the rows: below, most rows are only looked at, which is quicker in the order of the keys.
	writtenShare = 0.5
	// sharing is how many neighbours by key share a page at least: below, passes leave no room that the next could use.
	sharing = 2
	// hotShare of the updates of striped chunks: below, the passes save nothing.
	hotShare = 0.3
	// probe: each so many chunks striping is tried again, since what kept dead rows alive may have ended.
	probe = 8
)

// Figures are what is known of a run when a chunk has had its first batches.
type Figures struct {
	Chunk   int64
	Scanned int64 // keys of the chunk so far
	Written int64 // rows of the chunk so far
	Striped int64 // rows written in the striped chunks shortly before
	Hot     int64 // of them HOT
	Near    int64 // keys that come next, as far as they were looked at
	Pages   int64 // on which their rows lie
}

// Enough tells whether a choice can be made by them.
func (f Figures) Enough() bool { return f.Scanned >= enoughKeys }

// Window is how many keys of a chunk of so many are listed at once, and in how many batches a pass goes over its part of them.
func Window(chunkRows int64) (keys int64, batches int) {
	keys = min(WindowKeys, chunkRows)
	return keys, int(max(1, min(Batches, keys/(Passes*fewestRows))))
}

// Choose gives the number of passes, and why.
func Choose(c change.Change, f Figures) (passes int, reason string) {
	switch {
	case c.Kind.Plain() != "":
		return Plain, "plain: " + c.Kind.Plain()
	case c.Indexed != "":
		return Plain, fmt.Sprintf("plain: a written column is indexed (%s), so no update can be HOT", c.Indexed)
	case c.ChunkRows < fewestKeys:
		return Plain, fmt.Sprintf("plain: chunks have less than %s keys", figure.Count(fewestKeys))
	case float64(f.Written) < writtenShare*float64(f.Scanned):
		return Plain, fmt.Sprintf("plain: %s of the first %s rows had to be written", figure.Count(f.Written), figure.Count(f.Scanned))
	case f.Near >= enoughKeys && sharing*f.Pages > f.Near:
		return Plain, fmt.Sprintf("plain: neighbours by key lie on different pages, %s of them on %s", figure.Count(f.Near), figure.Count(f.Pages))
	case f.Striped > 0 && float64(f.Hot) < hotShare*float64(f.Striped) && f.Chunk%probe != 0:
		return Plain, fmt.Sprintf("plain: %d of 100 updates were HOT in the striped chunks before; an old transaction may keep dead rows",
			f.Hot*100/f.Striped)
	}
	return Passes, fmt.Sprintf("striped: %d passes, so that updates can be HOT", Passes)
}
