package run_test

import (
	"strings"
	"testing"

	"backfill/internal/run"
)

func TestBriefLeavesOutTheEndOfALongText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"none":         {"", ""},
		"just fits":    {strings.Repeat("é", 4_000), strings.Repeat("é", 4_000)},
		"one too many": {strings.Repeat("é", 4_001), strings.Repeat("é", 3_999) + "…"},
	} {
		if got := run.Brief(c.text); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(c.want))
		}
	}
}
