package striping_test

import (
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/striping"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	fit := change.Change{ChunkRows: 100_000}
	cases := map[string]struct {
		change  change.Change
		figures striping.Figures
		passes  int
		reason  string
	}{
		"nothing against it":  {fit, striping.Figures{Chunk: 1, Scanned: 500, Written: 500}, striping.Passes, "striped"},
		"an indexed column":   {change.Change{ChunkRows: 100_000, Indexed: "users_email"}, striping.Figures{Scanned: 500, Written: 500}, striping.Plain, "users_email"},
		"scattered keys":      {fit, striping.Figures{Scanned: 500, Written: 500, Near: 500, Pages: 251}, striping.Plain, "500 of them on 251"},
		"large rows":          {fit, striping.Figures{Scanned: 500, Written: 500, Near: 500, Pages: 250}, striping.Passes, "striped"},
		"few keys are left":   {fit, striping.Figures{Scanned: 500, Written: 500, Near: 99, Pages: 99}, striping.Passes, "striped"},
		"a deletion":          {change.Change{Kind: change.Delete, ChunkRows: 100_000}, striping.Figures{Scanned: 500, Written: 500}, striping.Plain, "rows are deleted"},
		"a copy":              {change.Change{Kind: change.Copy, ChunkRows: 100_000}, striping.Figures{Scanned: 500, Written: 500}, striping.Plain, "another table, where they are new"},
		"small chunks":        {change.Change{ChunkRows: 6_399}, striping.Figures{Scanned: 500, Written: 500}, striping.Plain, "6,400"},
		"few rows change":     {fit, striping.Figures{Scanned: 500, Written: 249}, striping.Plain, "249 of the first 500"},
		"half of the rows do": {fit, striping.Figures{Scanned: 500, Written: 250}, striping.Passes, "striped"},
		"it did not pay":      {fit, striping.Figures{Chunk: 7, Scanned: 500, Written: 500, Striped: 1000, Hot: 299}, striping.Plain, "29 of 100"},
		"it paid":             {fit, striping.Figures{Chunk: 7, Scanned: 500, Written: 500, Striped: 1000, Hot: 300}, striping.Passes, "striped"},
		"it is tried again":   {fit, striping.Figures{Chunk: 16, Scanned: 500, Written: 500, Striped: 1000, Hot: 0}, striping.Passes, "striped"},
	}
	for name, c := range cases {
		passes, reason := striping.Choose(c.change, c.figures)
		if passes != c.passes || !strings.Contains(reason, c.reason) {
			t.Errorf("%s: %d passes, %q", name, passes, reason)
		}
	}
}

func TestEnough(t *testing.T) {
	t.Parallel()
	for scanned, want := range map[int64]bool{0: false, 1: false, 99: false, 100: true} {
		if (striping.Figures{Scanned: scanned}).Enough() != want {
			t.Errorf("%d keys: want %v", scanned, want)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	for chunkRows, want := range map[int64][2]int64{6_400: {6_400, 1}, 12_480: {12_480, 2}, 25_000: {25_000, 4}, 100_000: {100_000, 4}, 10_000_000: {100_000, 4}} {
		if keys, batches := striping.Window(chunkRows); keys != want[0] || int64(batches) != want[1] {
			t.Errorf("chunks of %d: %d keys, %d batches a pass", chunkRows, keys, batches)
		}
	}
}
