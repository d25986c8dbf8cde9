// Package figure writes numbers as people read them.
//
// It owns the grouping of digits, and one or many. What a number means is its caller's. It is for texts alone: JSON has
// numbers as they are.
package figure

import (
	"fmt"
	"strconv"
)

// Count writes 1234567 as 1,234,567.
func Count(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%s,%03d", Count(n/1000), n%1000)
}

// Plural writes "1 chunk", "2 chunks".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}
