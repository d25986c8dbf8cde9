package gauge

// mostValues is how many values of one metric a line may have.
const mostValues = 100

// Sample keeps some of many values, evenly over them: when it is full every second one goes, and from then on every second one comes.
type Sample struct {
	values  []float64
	every   int
	skipped int
}

// Keep is told each value.
func (s *Sample) Keep(value float64) {
	if s.skipped++; s.skipped < s.every {
		return
	}
	s.skipped = 0
	if len(s.values) == mostValues {
		for i := range mostValues / 2 {
			s.values[i] = s.values[2*i]
		}
		s.values = s.values[:mostValues/2]
		s.every = 2 * max(s.every, 1)
	}
	s.values = append(s.values, value)
}

// Values are those that are kept.
func (s *Sample) Values() []float64 { return s.values }
