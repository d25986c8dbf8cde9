package canary

import (
	"cmp"
	"slices"
	"time"

	"backfill/internal/forecast"
	"backfill/internal/ledger"
)

// logged is the WAL of stays, in the order of time. Where a counter is that of the whole server, stays that overlap have counted the same WAL: they are one.
func logged(stays []ledger.Stay) (all []forecast.Measured) {
	stays = slices.DeleteFunc(slices.Clone(stays), func(s ledger.Stay) bool {
		return s.WALFrom == nil || s.WALTo == nil || s.ImagesFrom == nil || s.ImagesTo == nil
	})
	slices.SortFunc(stays, func(a, b ledger.Stay) int { return a.Begun.Compare(b.Begun) })
	for len(stays) > 0 {
		n := 1
		if !stays[0].Own {
			n = overlapping(stays)
		}
		all = append(all, together(stays[:n]))
		stays = stays[n:]
	}
	return all
}

// overlapping is how many of the first stays hang together.
func overlapping(stays []ledger.Stay) int {
	var end time.Time
	for n, s := range stays {
		if n > 0 && !s.Begun.Before(end) {
			return n
		}
		if s.Ended.After(end) {
			end = s.Ended
		}
	}
	return len(stays)
}

func together(stays []ledger.Stay) (m forecast.Measured) {
	least := func(of func(ledger.Stay) int64) int64 {
		return of(slices.MinFunc(stays, func(a, b ledger.Stay) int { return cmp.Compare(of(a), of(b)) }))
	}
	most := func(of func(ledger.Stay) int64) int64 {
		return of(slices.MaxFunc(stays, func(a, b ledger.Stay) int { return cmp.Compare(of(a), of(b)) }))
	}
	for _, s := range stays {
		m.Keys, m.Rows, m.Seconds = m.Keys+float64(s.Keys), m.Rows+float64(s.Rows), m.Seconds+s.Ended.Sub(s.Begun).Seconds()
	}
	m.WAL = float64(most(func(s ledger.Stay) int64 { return *s.WALTo }) - least(func(s ledger.Stay) int64 { return *s.WALFrom }))
	m.Images = float64(most(func(s ledger.Stay) int64 { return *s.ImagesTo }) - least(func(s ledger.Stay) int64 { return *s.ImagesFrom }))
	return m
}
