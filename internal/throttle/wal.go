package throttle

import (
	"math"
	"time"
)

const (
	// remembered is for how long a row's WAL counts: some chunks, in each of which the first pass touches every page and writes ten times
	// as much. With less a rate would follow the cheap passes, and be far too high when the next chunk begins.
	remembered = 20 * time.Second
	// repaid is the time in which what was written above or below the ceiling is made up for. Some times the delay between a
	// decision and what it does, so that it does not swing.
	repaid = 20 * time.Second
	// owed and saved bound what is made up for, in seconds of the ceiling: a quarter of the rate down, little up. What was not used when the
	// rate was low is no reason to go beyond the ceiling.
	owed, saved = 5, 1
	// stale is how far two samples may lie apart to be compared.
	stale = 30 * time.Second
	// Unknown is the rate in rows/s until it is known what a row writes.
	Unknown = 1000
	// aimed is the part of the ceiling that is aimed at.
	aimed = 0.98
)

// WAL turns a ceiling of WAL bytes/s into a rate of rows/s: it is what is kept from one decision to the next. It goes by the WAL of the
// whole server: what others write is taken for the runs', so a rate is rather too low than too high.
type WAL struct {
	At    time.Time        `json:"at"`
	Bytes float64          `json:"bytes"` // written by the server since the beginning of time
	Rows  map[string]int64 `json:"rows"`  // that each run has handled
	Wrote float64          `json:"wrote"` // bytes of late, the older the less
	Did   float64          `json:"did"`   // rows of late, likewise
	Debt  float64          `json:"debt"`  // bytes above the ceiling that are not made up for
	Rate  float64          `json:"rate"`  // rows/s; 0: no ceiling
}

// Volume is what is known when a decision is due.
type Volume struct {
	Now     time.Time
	Bytes   float64          // as in WAL; 0: it could not be read
	Rows    map[string]int64 // as in WAL, of the runs that have not ended
	Ceiling float64          // bytes/s; 0: none
}

// Decide gives the next state, of which Rate is what the ceiling allows. What cannot be read never makes it faster.
func (w WAL) Decide(v Volume) WAL {
	next := w
	switch {
	case v.Ceiling == 0:
		next.Debt = 0
	case v.Bytes == 0:
		next.Rate = first(w.Rate, Unknown)
		return next
	}
	if v.Bytes > 0 {
		next.At, next.Bytes, next.Rows = v.Now, v.Bytes, v.Rows
	}
	since := v.Now.Sub(w.At).Seconds()
	if bytes, rows := v.Bytes-w.Bytes, w.since(v.Rows); bytes >= 0 && rows > 0 && since > 0 && since < stale.Seconds() && !w.At.IsZero() {
		keep := math.Exp(-since / remembered.Seconds())
		next.Wrote, next.Did = w.Wrote*keep+bytes, w.Did*keep+rows
		next.Debt = min(max(w.Debt+bytes-v.Ceiling*since, -saved*v.Ceiling), owed*v.Ceiling)
	}
	next.Rate = next.allowed(v.Ceiling, w.Rate)
	return next
}

// since counts the rows since the last decision, of runs that were there then.
func (w WAL) since(rows map[string]int64) (sum float64) {
	for id, n := range rows {
		if before, known := w.Rows[id]; known {
			sum += float64(max(n-before, 0))
		}
	}
	return sum
}

// allowed is the rate that keeps the ceiling. It rises by as much again at most, since what a row writes may have been less by chance.
func (w WAL) allowed(ceiling, before float64) float64 {
	if ceiling == 0 {
		return 0
	}
	if w.Did == 0 || w.Wrote == 0 {
		return first(before, Unknown)
	}
	rate := max(ceiling*aimed-w.Debt/repaid.Seconds(), ceiling/10) / w.PerRow()
	if before > 0 {
		rate = min(rate, 2*before)
	}
	return max(rate, slowest)
}

// PerRow is how many bytes a row writes; 0: not known.
func (w WAL) PerRow() float64 {
	if w.Did == 0 {
		return 0
	}
	return w.Wrote / w.Did
}

func first(rate, otherwise float64) float64 {
	if rate > 0 {
		return rate
	}
	return otherwise
}
