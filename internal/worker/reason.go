package worker

import (
	"backfill/internal/failure"
	"backfill/internal/ledger"
)

// longestReason bounds what is kept of an error, in characters: reasons are shown in lists, and travel.
const longestReason = 500

// backingOff is what people are told of a chunk that waits.
func backingOff(err error) string { return ledger.BackingOff + reasonOf(err) }

// reasonOf is what people are told of an error.
func reasonOf(err error) string {
	reason := []rune(failure.Safe(err))
	if len(reason) <= longestReason {
		return string(reason)
	}
	return string(reason[:longestReason]) + "…"
}
