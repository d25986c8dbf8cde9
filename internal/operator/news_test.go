package operator

import (
	"io"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

// TestABarTellsOfAStandstill once figures have been the same for half a minute, and no more when they move.
func TestABarTellsOfAStandstill(t *testing.T) {
	t.Parallel()
	b := &bar{out: io.Discard}
	status := working()
	moved := status
	moved.Rows.Scanned++
	for _, c := range []struct {
		after  time.Duration
		status run.Status
		want   string
	}{
		{0, status, "  450,123 of about"},
		{29 * time.Second, status, "  450,123 of about"},
		{30 * time.Second, status, "  nothing has moved for 30 s; 2 workers are at work; at most 4 workers at a time · 450,123 of about"},
		{31 * time.Second, moved, "  450,124 of about"},
	} {
		if got := b.detail(c.status, noon.Add(c.after)); !strings.HasPrefix(got, c.want) {
			t.Errorf("after %s: %q, want %q", c.after, got, c.want)
		}
	}
}
