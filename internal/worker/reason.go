package worker

import "backfill/internal/failure"

// longestReason bounds what is kept of an error, in characters: reasons are shown in lists, and travel.
const longestReason = 500

// reasonOf is what people are told of an error.
func reasonOf(err error) string {
	reason := []rune(failure.Safe(err))
	if len(reason) <= longestReason {
		return string(reason)
	}
	return string(reason[:longestReason]) + "…"
}
