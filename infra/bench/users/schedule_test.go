package users

import (
	"slices"
	"testing"
	"time"
)

// TestARequestIsDueWhateverBecameOfTheOneBefore: the one who takes requests is stuck until all are due.
func TestARequestIsDueWhateverBecameOfTheOneBefore(t *testing.T) {
	s := schedule{begin: time.Now().Add(-10*time.Hour - 30*time.Minute), period: time.Hour}
	due, stop := make(chan time.Time), make(chan struct{})
	close(stop)
	var got []time.Time
	sent := make(chan error)
	go func() { sent <- s.send(t.Context(), due, stop) }()
	for waiting := true; waiting; {
		select {
		case at := <-due:
			got = append(got, at)
		case err := <-sent:
			if waiting = false; err != nil {
				t.Fatal(err)
			}
		}
	}
	var want []time.Time
	for i := range 11 {
		want = append(want, s.begin.Add(time.Duration(i)*time.Hour))
	}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestBetweenTakesWhatWasDueInTheSpan(t *testing.T) {
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var samples []sample
	for i := range 10 {
		samples = append(samples, sample{due: begin.Add(time.Duration(i) * time.Second), latency: time.Duration(i)})
	}
	got := between(samples, begin.Add(3*time.Second), begin.Add(6*time.Second))
	if !slices.Equal(got, []time.Duration{3, 4, 5}) {
		t.Fatalf("got %v", got)
	}
}

func TestLatency(t *testing.T) {
	var latencies []time.Duration
	for i := 200; i > 0; i-- {
		latencies = append(latencies, time.Duration(i)*time.Millisecond)
	}
	for name, c := range map[string]struct {
		of   []time.Duration
		want Latency
	}{
		"none": {nil, Latency{}},
		"one":  {latencies[199:], Latency{Requests: 1, P50: 1, P99: 1, Max: 1}},
		"many": {latencies, Latency{Requests: 200, P50: 100, P99: 198, Max: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := summarize(slices.Clone(c.of)); got != c.want {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestRequestsOfSeveralRoundsArePooled: the one slow request of two in a hundred is within the p99 of its own round only.
func TestRequestsOfSeveralRoundsArePooled(t *testing.T) {
	quick := slices.Repeat([]time.Duration{time.Millisecond}, 99)
	slow := NewSeen(quick, append(slices.Clone(quick), time.Second, time.Second), 101)
	if slow.Updates.P99 != 1000 {
		t.Fatalf("p99 of a round is %.0f ms", slow.Updates.P99)
	}
	got := Pooled([]Seen{slow, NewSeen(quick, quick, 99), NewSeen(nil, quick, 99)})
	if want := (Latency{Requests: 299, P50: 1, P99: 1, Max: 1000}); got.Updates != want || got.Reads.Requests != 198 || got.Written != 299 {
		t.Fatalf("%+v", got)
	}
}
