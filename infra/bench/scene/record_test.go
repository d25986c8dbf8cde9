package scene

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"backfill/infra/bench/users"
)

func rate(rows float64) *float64 { return &rows }

// played is a run of 1,000 rows/s that is disturbed from second 30.5 to 50.5, and again from 100.5 on. It falls in second 34, and is
// back in second 60.
func played() Record {
	r := Record{
		Rows: 100, Marks: []Mark{{Name: "first", From: 30.5, To: 50.5}, {Name: "second", From: 100.5, To: 105.5}},
		Decisions: []Decision{{At: 20, Rate: rate(1200)}, {At: 32.7, Rate: rate(500), Reason: "slowed"}, {At: 55, Rate: rate(1100), Reason: "rising"}},
	}
	r.Idle.Updates.P99, r.Idle.Reads.P99 = 2, 1
	for at := range 110 {
		late := 0.001 * float64(at%3) // each second is noted a little late
		s := Second{At: float64(at) + late, Rows: 1000, Updates: users.Latency{P99: 3}, Reads: users.Latency{P99: 2}, Rate: rate(1200)}
		if at >= 34 && at < 60 {
			s.Rows, s.Updates.P99 = 100, 800
		}
		r.Seconds = append(r.Seconds, s)
	}
	return r
}

func TestFigures(t *testing.T) {
	t.Parallel()
	r := played()
	first, second := r.Figures(0), r.Figures(1)
	if first.Before != 1000 || math.Abs(first.Decided-2.2) > 1e-6 || math.Abs(first.Fell-3.501) > 1e-6 || first.Lowest != 100 || math.Abs(first.Back-11.502) > 1e-6 {
		t.Errorf("%+v", first)
	}
	if second.Before != 1000 || !math.IsNaN(second.Fell) || !math.IsNaN(second.Decided) || second.Lowest != 1000 || math.Abs(second.Back-1.502) > 1e-6 {
		t.Errorf("%+v", second)
	}
	if beats(first.Fell) != "2 (3.5 s)" || beats(second.Fell) != "never" {
		t.Error(beats(first.Fell), beats(second.Fell))
	}
}

// TestWhatDoesNotComeBackIsNotLookedForBehindTheNext.
func TestWhatDoesNotComeBackIsNotLookedForBehindTheNext(t *testing.T) {
	t.Parallel()
	r := played()
	for at := 34; at < 104; at++ {
		r.Seconds[at].Rows = 100
	}
	if f := r.Figures(0); !math.IsNaN(f.Back) {
		t.Errorf("%+v", f)
	}
}

// TestThePicture is well formed, and has what was wanted; so has the table.
func TestThePicture(t *testing.T) {
	t.Parallel()
	var picture, table bytes.Buffer
	if err := played().Picture(&picture); err != nil {
		t.Fatal(err)
	}
	played().Markdown(&table)
	for text, wanted := range map[string][]string{
		picture.String(): {"first", "second", "rows done", "slower, by a signal", "faster again", "rate allowed", "updates", "3 x users alone"},
		table.String():   {"| first | 1,000 | 2 (2.2 s) | 2 (3.5 s) | 100 | 12 |", "| second | 1,000 | never | never |", "-  32.7 s: slowed"},
	} {
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in %s", want, text)
			}
		}
	}
	decoder := xml.NewDecoder(&picture)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestUsersCountWhereTheyWereDue: outside of a disturbance, and within.
func TestUsersCountWhereTheyWereDue(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	k := &keeper{begun: begun, started: begun.Add(10 * time.Second), ended: begun.Add(time.Minute), marks: []Mark{{From: 20, To: 30}, {From: 40, To: 50}}}
	outside, beside := k.spans()
	for i, want := range [][2]float64{{10, 20}, {30, 40}, {50, 60}} {
		if got := [2]float64{k.at(outside[i].From), k.at(outside[i].To)}; got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if len(outside) != 3 || len(beside) != 2 || beside[1] != [2]users.Span{outside[1], outside[2]} {
		t.Errorf("%v %v", outside, beside)
	}
}
