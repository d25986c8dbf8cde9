package worker

import (
	"errors"

	"backfill/internal/batch"
	"backfill/internal/failure"
)

// suspects counts the keys ahead of which one does not allow the change; 0: none is known of. Batches of half of them
// commit the rows before that one and end at it alone, so that the reason of the chunk names the row.
type suspects int64

// bound is the size of the next batch.
func (s suspects) bound(rows int64) int64 {
	if s == 0 {
		return rows
	}
	return min(rows, max(1, int64(s)/2))
}

// clear takes off the keys of a batch that was committed.
func (s *suspects) clear(keys int64) { *s = max(0, *s-suspects(keys)) }

// narrow tells whether it helps to go on in smaller batches after an error.
func (s *suspects) narrow(class failure.Class, err error) bool {
	var failed *batch.Failed
	if class == failure.LeaseLost || !errors.As(err, &failed) || failed.Keys <= 1 {
		return false
	}
	if *s == 0 || failed.Keys < int64(*s) {
		*s = suspects(failed.Keys)
	}
	return true
}
