package operator

import (
	"strings"
	"time"
)

// longest leaves room for the time in an id of 80.
const longest = 64

// newID makes the id of a run that was given none: what it does and when it was started.
func newID(backfill string, now time.Time) string {
	name := strings.Trim(strings.Map(idSign, backfill), "-")
	if name == "" {
		name = "run"
	}
	return name[:min(len(name), longest)] + "-" + now.UTC().Format("20060102-150405")
}

func idSign(r rune) rune {
	switch {
	case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '_', r == '-':
		return r
	}
	return '-'
}
