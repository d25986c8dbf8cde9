package prospect

import "math"

// Stretch is what was counted in a part of the key space.
type Stretch struct{ Rows, InScope, ToWrite int64 }

// Reckon makes the figures of the whole table from stretches of it. Rows of a stretch are like their neighbours, so the bounds are
// those of the stretches' shares: twice the error of their mean.
func (e *Extent) Reckon(stretches []Stretch, all bool) {
	e.Looked = Looked{Stretches: int64(len(stretches)), All: all}
	for _, s := range stretches {
		e.Looked.Rows += s.Rows
		e.Looked.InScope += s.InScope
		e.Looked.ToWrite += s.ToWrite
	}
	if e.Looked.Rows == 0 && !all {
		return
	}
	if all {
		e.InScope = &Figure{e.Looked.InScope, e.Looked.InScope, e.Looked.InScope}
		e.ToWrite = &Figure{e.Looked.ToWrite, e.Looked.ToWrite, e.Looked.ToWrite}
		return
	}
	e.InScope = e.reckon(stretches, e.Looked.InScope, func(s Stretch) int64 { return s.InScope })
	e.ToWrite = e.reckon(stretches, e.Looked.ToWrite, func(s Stretch) int64 { return s.ToWrite })
}

func (e *Extent) reckon(stretches []Stretch, sum int64, of func(Stretch) int64) *Figure {
	rows, mean := float64(e.Rows), float64(sum)/float64(e.Looked.Rows)
	squares, n := 0.0, 0.0
	for _, s := range stretches {
		if s.Rows > 0 {
			squares += math.Pow(float64(of(s))/float64(s.Rows)-mean, 2)
			n++
		}
	}
	spread := 1.0 // one stretch tells nothing of the others
	if n > 1 {
		spread = 2 * math.Sqrt(squares/(n-1)/n)
	}
	// Stretches that all agree say that others may differ in one of so many, at most.
	spread = max(spread, 1/float64(e.Looked.Rows))
	whole := func(share float64) int64 { return int64(math.Round(rows * min(max(share, 0), 1))) }
	return &Figure{whole(mean), whole(mean - spread), whole(mean + spread)}
}
