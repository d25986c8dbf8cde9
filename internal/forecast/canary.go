package forecast

import (
	"math"

	"backfill/internal/run"
)

// Measured is what was counted of some keys: of one stay of a worker, or of several that cannot be told apart.
type Measured struct {
	Keys, Rows  float64
	Seconds     float64 // of workers
	WAL, Images float64 // bytes; pages that were written whole
}

// Canary is what a canary has shown, and what it leaves to do.
type Canary struct {
	Stays   []Measured // one by one: time and rows
	Logged  []Measured // WAL, in the order of time; none: not known
	Wall    float64    // seconds from the first to the last
	Workers int64      // that may work on the rest at once
	Keys    float64    // that the canary looked at
	Left    float64    // that are left
	Pages   float64    // of the tables before, without indexes
	Entries float64    // pages of their indexes
	Block   float64    // bytes of a page
	Cycle   float64    // seconds between checkpoints
	Growth  *Growth    // nil: not known
}

// Growth is by how much tables and indexes have grown, in bytes; Indexes is what these had before.
type Growth struct{ Table, Index, Indexes float64 }

const (
	// drift is by how much the rest may differ from the canary beside what its chunks differ by: the load and the caches of a server change.
	drift = 1.5
	// image is the part of a page that its image has: the hole in it is left out.
	image = 0.85
)

// Rows are those that the rest will write.
func (c Canary) Rows() *run.Range {
	return c.reckon(c.Stays, 1, func(m Measured) float64 { return m.Rows })
}

// AtOnce is how many workers were at work at a time.
func (c Canary) AtOnce() float64 {
	busy := 0.0
	for _, m := range c.Stays {
		busy += m.Seconds
	}
	if c.Wall <= 0 {
		return 1
	}
	return math.Max(busy/c.Wall, 1)
}

// Seconds are those that the rest will take: at best by as many workers as may work, at worst by as many as in the canary.
func (c Canary) Seconds() *run.Range {
	busy := c.reckon(c.Stays, drift, func(m Measured) float64 { return m.Seconds * 1000 })
	if busy == nil {
		return nil
	}
	seen := c.AtOnce()
	most := math.Max(float64(c.Workers), seen)
	value := float64(busy.Value) / 2000 * (1/most + 1/seen)
	return bounds(value, float64(busy.From)/1000/most, float64(busy.To)/1000/seen)
}

// WAL is what the rest will write, in bytes. Images of table pages grow with the keys, as each page belongs to a few of them. Those of other pages, of indexes above all,
// come once for each page and checkpoint: what the second half of the canary has more is what grows.
func (c Canary) WAL() *run.Range {
	all := sum(c.Logged)
	if all.Keys <= 0 || c.Left <= 0 {
		return nil
	}
	size := 0.0
	if all.Images > 0 {
		size = math.Min(c.Block*image, all.WAL/all.Images)
	}
	late := sum(c.Logged[len(c.Logged)/2:])
	grows := math.Max(late.Images-c.table(late.Keys), 0) / late.Keys
	once := math.Max(all.Images-c.table(all.Keys)-grows*all.Keys, 0)
	cycles := 1.0
	if seconds := c.Seconds(); seconds != nil && c.Cycle > 0 {
		cycles += math.Floor(float64(seconds.Value) / c.Cycle)
	}
	others := math.Min(grows*c.Left+once*cycles, math.Max(c.Entries, once)*cycles)
	tables := math.Min(all.Images, c.table(all.Keys)) / all.Keys * c.Left
	records := math.Max(all.WAL-all.Images*size, 0) / all.Keys * c.Left
	value := records + (tables+others)*size
	least, most := records, records+(c.table(c.Left)+math.Max(others, c.Entries*cycles))*size
	if size == 0 { // no image was seen: the first writes after a checkpoint have them
		most = records + c.table(c.Left)*c.Block*image
	}
	if spread := c.reckon(c.Logged, 1, func(m Measured) float64 { return m.WAL - m.Images*size }); spread != nil && spread.Value > 0 {
		least *= float64(spread.From) / float64(spread.Value)
		most += float64(spread.To - spread.Value)
	}
	most = math.Max(most, all.WAL/all.Keys*c.Left) // where nothing comes only once
	return bounds(value, math.Min(least, value/1.2), math.Max(most, value*1.2))
}

// table is how many pages of the tables so many keys have.
func (c Canary) table(keys float64) float64 {
	if c.Keys+c.Left <= 0 {
		return 0
	}
	return c.Pages * keys / (c.Keys + c.Left)
}

// Grown is by how much tables and indexes will grow. A table has room that is used up first; an index whose pages are full splits each of them once.
func (c Canary) Grown() *run.Range {
	if c.Growth == nil || c.Keys <= 0 {
		return nil
	}
	times := c.Left / c.Keys
	table, index := math.Max(c.Growth.Table, 0)*times, math.Max(c.Growth.Index, 0)*times
	most := 2*table + math.Max(2*index, 0)
	if index > 0 {
		most = 2*table + math.Max(2*index, c.Growth.Indexes)
	}
	return bounds(table+math.Min(index, math.Max(c.Growth.Indexes, index/2)), (table+math.Min(index, c.Growth.Indexes))/2, math.Max(most, 64*c.Block))
}

// reckon scales what was counted to the keys that are left. The bounds are those within which the mean of the rest lies nineteen times of twenty, by what the
// parts of the canary differ by among themselves, and at least the factor apart. One part has nothing to differ from: it has a half more, and less.
func (c Canary) reckon(parts []Measured, factor float64, of func(Measured) float64) *run.Range {
	keys, all, n := 0.0, 0.0, 0.0
	for _, part := range parts {
		if part.Keys > 0 {
			keys, all, n = keys+part.Keys, all+of(part), n+1
		}
	}
	if keys <= 0 || c.Left <= 0 {
		return nil
	}
	mean, squares := all/keys, 0.0
	for _, part := range parts {
		if part.Keys > 0 {
			off := of(part)/part.Keys - mean
			squares += part.Keys / keys * off * off
		}
	}
	half := mean / 2
	if n > 1 {
		half = student(int(n)-1) * math.Sqrt(squares*n/(n-1)) * math.Sqrt(1/n+keys/n/(c.Left+keys/n))
	}
	return bounds(mean*c.Left, math.Min(mean-half, mean/factor)*c.Left, math.Max(mean+half, mean*factor)*c.Left)
}

func bounds(value, from, to float64) *run.Range {
	const most = 1e18 // an int64 holds no more
	return &run.Range{Value: int64(math.Round(math.Min(value, most))), From: int64(math.Max(math.Floor(math.Min(from, most)), 0)), To: int64(math.Ceil(math.Min(to, most)))}
}

// quantiles are Student's t, two-sided at 95 %, by degrees of freedom.
var quantiles = []float64{12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23}

func student(freedom int) float64 {
	if freedom <= len(quantiles) {
		return quantiles[freedom-1]
	}
	return 2.2
}

func sum(parts []Measured) (all Measured) {
	for _, m := range parts {
		all.Keys, all.Rows, all.Seconds, all.WAL, all.Images = all.Keys+m.Keys, all.Rows+m.Rows, all.Seconds+m.Seconds, all.WAL+m.WAL, all.Images+m.Images
	}
	return all
}
