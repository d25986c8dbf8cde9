package forecast

import (
	"math"
	"testing"

	"backfill/internal/run"

	"pgregory.net/rapid"
)

// even is a canary of so many chunks that are all alike.
func even(chunks int) Canary {
	c := Canary{Wall: float64(chunks), Workers: 4, Keys: float64(chunks) * 1000, Left: 99_000, Block: 8192, Pages: 1000, Cycle: 300}
	for range chunks {
		m := Measured{Keys: 1000, Rows: 500, Seconds: 2, WAL: 100_000}
		c.Stays, c.Logged = append(c.Stays, m), append(c.Logged, m)
	}
	return c
}

func TestAnEvenCanaryIsExact(t *testing.T) {
	c := even(5)
	if got := c.Rows(); *got != (run.Range{Value: 49_500, From: 49_500, To: 49_500}) {
		t.Errorf("rows: %+v", got)
	}
	// 2 s a chunk, two at once in the canary, four may: 99 chunks are 49.5 to 99 s, and half as much again either way.
	if got := c.Seconds(); got.Value != 74 || got.From != 33 || got.To != 149 {
		t.Errorf("seconds: %+v", got)
	}
	if got := c.WAL(); got.Value != 9_900_000 || got.From > 9_900_000*10/12 || got.To < 9_900_000*12/10 {
		t.Errorf("WAL: %+v", got)
	}
}

// TestImagesOfAnIndexAreNotScaled: the first half of the canary has written each page of an index whole, the second half none.
func TestImagesOfAnIndexAreNotScaled(t *testing.T) {
	c := even(4)
	c.Pages, c.Entries = 0, 500
	for i := range c.Logged {
		if c.Logged[i].WAL = 100_000; i < 2 {
			c.Logged[i].WAL, c.Logged[i].Images = 100_000+200*7000, 200
		}
	}
	all := 99*100_000.0 + 400*8192*image
	if got := float64(c.WAL().Value); math.Abs(got/all-1) > 0.05 {
		t.Errorf("%.0f, want about %.0f", got, all)
	}
	// Images that come with every chunk belong to pages that no other chunk has.
	for i := range c.Logged {
		c.Logged[i].WAL, c.Logged[i].Images = 100_000+20*6963.2, 20
	}
	c.Entries = 3000
	if got, want := float64(c.WAL().Value), 99*(100_000+20*6963.2); math.Abs(got/want-1) > 0.02 {
		t.Errorf("%.0f, want about %.0f", got, want)
	}
}

// TestTheBoundsAreAroundTheFigure, whatever was measured; and what differs more has wider bounds.
func TestTheBoundsAreAroundTheFigure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Canary{Workers: rapid.Int64Range(0, 100).Draw(t, "workers"), Left: rapid.Float64Range(0, 1e10).Draw(t, "left"), Wall: rapid.Float64Range(0, 1e5).Draw(t, "wall"),
			Pages: rapid.Float64Range(0, 1e9).Draw(t, "pages"), Entries: rapid.Float64Range(0, 1e9).Draw(t, "entries"), Block: 8192, Cycle: 300,
			Growth: &Growth{rapid.Float64Range(-1e9, 1e9).Draw(t, "table"), rapid.Float64Range(-1e9, 1e9).Draw(t, "index"), rapid.Float64Range(0, 1e12).Draw(t, "indexes")}}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			m := Measured{Keys: float64(rapid.IntRange(0, 100_000).Draw(t, "keys")), Seconds: rapid.Float64Range(0, 1e3).Draw(t, "seconds"), WAL: rapid.Float64Range(0, 1e9).Draw(t, "wal"),
				Images: rapid.Float64Range(0, 1e5).Draw(t, "images")}
			m.Rows = rapid.Float64Range(0, 1).Draw(t, "part") * m.Keys
			c.Keys += m.Keys
			c.Stays, c.Logged = append(c.Stays, m), append(c.Logged, m)
		}
		for what, got := range map[string]*run.Range{"rows": c.Rows(), "seconds": c.Seconds(), "WAL": c.WAL(), "growth": c.Grown()} {
			if got != nil && (got.From < 0 || got.From > got.Value || got.Value > got.To) {
				t.Fatalf("%s: %+v", what, got)
			}
		}
	})
}

func TestOneChunkHasWideBounds(t *testing.T) {
	c := even(1)
	if got := c.Rows(); got.Value != 49_500 || got.From > 25_000 || got.To < 74_000 {
		t.Errorf("%+v", got)
	}
}
