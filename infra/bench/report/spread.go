package report

import "slices"

// Spread is one figure over the rounds.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Rounds int     `json:"rounds"` // that have it
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + median) / 2
	}
	return Spread{Median: median, Min: values[0], Max: values[len(values)-1], Rounds: len(values)}
}

// ratio is one figure over another; there is none over nothing.
func ratio(one, other float64) (float64, bool) {
	if other == 0 {
		return 0, false
	}
	return one / other, true
}

// compared gives a comparison of a work with a leg over the rounds that have both: with that leg by as many workers, or with what had none.
func compared(figures []Figure, of work, base string, compare func(f, base Figure) (float64, bool)) Spread {
	type partner struct{ round, workers int }
	bases := map[partner]Figure{}
	for _, f := range figures {
		if f.Leg == base {
			bases[partner{f.Round, f.Workers}] = f
		}
	}
	var values []float64
	for _, f := range figures {
		other, measured := bases[partner{f.Round, f.Workers}]
		if !measured {
			other, measured = bases[partner{f.Round, 0}]
		}
		if f.work() != of || !measured {
			continue
		}
		if value, known := compare(f, other); known {
			values = append(values, value)
		}
	}
	return spread(values)
}
