package request

import (
	"fmt"
	"strconv"
	"strings"

	"backfill/internal/figure"
)

// mostChunks bounds a list: more is a whole run.
const mostChunks = 100_000

// ParseChunks reads numbers and ranges of chunks, "3,7-9". Nothing is nil: all of them.
func ParseChunks(text string) ([]int64, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var chunks []int64
	for _, part := range strings.Split(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.ParseInt(first, 10, 64)
		to, also := from, err
		if isRange {
			to, also = strconv.ParseInt(last, 10, 64)
		}
		if err != nil || also != nil || from < 1 || to < from {
			return nil, fmt.Errorf("%q is neither a number from 1 nor a range like 7-9", strings.TrimSpace(part))
		}
		if to-from >= mostChunks-int64(len(chunks)) {
			return nil, fmt.Errorf("more than %s chunks; leave the list out to roll back all", figure.Count(mostChunks))
		}
		for n := from; n <= to; n++ {
			chunks = append(chunks, n)
		}
	}
	return chunks, nil
}
