// Package figure writes numbers as people read them.
//
// It owns the grouping of digits, and one or many. What a number means is its caller's. It is for texts alone: JSON has
// numbers as they are.
package figure

import (
	"fmt"
	"strconv"
	"strings"
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

// Bytes writes a volume as people say it: "20 MB", "1.5 GB".
func Bytes(bytes float64) string {
	unit := 0
	for ; bytes >= 999.5 && unit < 4; unit++ {
		bytes /= 1000
	}
	text := strconv.FormatFloat(bytes, 'f', 0, 64)
	if bytes < 99.95 && unit > 0 {
		text = strings.TrimSuffix(strconv.FormatFloat(bytes, 'f', 1, 64), ".0")
	}
	return text + " " + []string{"B", "kB", "MB", "GB", "TB"}[unit]
}
