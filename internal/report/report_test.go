package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

var update = flag.Bool("update", false, "write the golden files anew")

var begun = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return begun.Add(time.Duration(seconds * float64(time.Second))) }

func pointer[T any](value T) *T { return &value }

// paused is a run of 100 s that was paused from 40 to 60 s, and slowed from 20 s on.
func paused() (run.Status, Facts) {
	s := run.Status{Run: "email-1", Backfill: "users-email", Version: 2, Action: "start", State: run.Completed, Table: "shop.users", Kind: "set",
		Rows:   run.Rows{Estimated: 1_100_000, Scanned: 1_000_000, Affected: 900_000, Rejected: 3, Conflicts: 0},
		Chunks: run.Chunks{Total: 10, Completed: 10, Retries: 2, AllPlanned: true}, Undo: run.Undo{Bytes: 5_400_000},
		Canary: &run.Canary{Approved: true, Forecast: &run.Forecast{At: at(20), Chunks: 1, Keys: 100_000, Written: 90_000,
			Rows: &run.Range{Value: 800_000, From: 700_000, To: 900_000}, Seconds: &run.Range{Value: 50, From: 40, To: 55}, Verified: &run.Checked{Rows: 90_000}}}}
	f := Facts{Now: at(200), StartedAt: begun, EndedAt: pointer(at(100)), Worked: 140, Log: Log{Before: 2, Lines: []run.Change{
		{At: at(1), State: run.Running}, {At: at(40), By: "ann@laptop", State: run.Paused, Detail: "paused <b>by</b> ann: night"},
		{At: at(60), By: "ann@laptop", State: run.Running}, {At: at(100), State: run.Completed}}},
		Failures: Failures{Count: 1, Newest: []run.Failure{{Chunk: 4, At: at(70), Reason: "row id=7: SQLSTATE 22012 (division_by_zero)"}}},
		Rejects:  []Rejects{{SQLState: "22012", Rows: 2, Chunks: 1}, {SQLState: "23514", Rows: 1, Chunks: 1}}}
	for i := 0; i <= 20; i++ {
		p := Point{At: at(float64(5 * i)), State: run.Running, Handled: int64(62_500 * i), Workers: 2, Done: int64(i / 2), Reason: "at most 2 workers at a time (ceiling of the stack)", EndsAt: pointer(at(110))}
		if i > 8 {
			p.Handled = int64(62_500 * max(8, i-4))
		}
		if i >= 8 && i < 12 {
			p.State, p.Workers, p.EndsAt = run.Paused, 0, nil
		}
		if i >= 4 && i < 8 {
			p.Allowed, p.Reason = pointer(15_000.), fmt.Sprintf("lock_waiters %d of 10 sessions", 10+i)
		}
		f.Points = append(f.Points, p)
	}
	f.Points[20].State = run.Completed
	for n := int64(1); n <= 10; n++ {
		c := Cell{First: n, Last: n, Keys: fmt.Sprintf("(%d, %d]", 100_000*(n-1), 100_000*n), Done: 1, Claimed: 1, Attempts: 1, Most: 1, Seconds: float64(10 + n), Longest: float64(10 + n)}
		if n == 4 {
			c.Done, c.Failed, c.Attempts, c.Most, c.Rejected = 0, 1, 3, 3, 3
		}
		f.Cells = append(f.Cells, c)
	}
	return s, f
}

func page(t *testing.T, r Report) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := HTML(&text, r); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestThePageAndTheDocument(t *testing.T) {
	r := New(paused())
	document, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"report.html": page(t, r), "report.json": append(document, '\n')} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is another (%v); look at the difference with -update", name, err)
		}
	}
}

// TestThePageIsWhole by itself: it is well-formed, refers to nothing, each picture has its words, and each label what it names.
func TestThePageIsWhole(t *testing.T) {
	for name, r := range map[string]Report{"paused": New(paused()), "empty": New(run.Status{Run: "a"}, Facts{Now: begun, StartedAt: begun}), "large": New(largest())} {
		t.Run(name, func(t *testing.T) { inspect(t, page(t, r)) })
	}
}

func inspect(t *testing.T, text []byte) {
	t.Helper()
	if found := regexp.MustCompile(`(?i)%!|ZgotmplZ|https?:|//[a-z]|url\(|@import|<script|<link|\bsrc=`).Find(text); found != nil {
		t.Errorf("the page refers to something, or is broken: %s", found)
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.Entity = xml.HTMLEntity
	ids, named, level := map[string]bool{}, []string{}, 0
	pictures := map[string]int{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		element, is := token.(xml.StartElement)
		if !is {
			continue
		}
		has := map[string]string{}
		for _, a := range element.Attr {
			has[a.Name.Local] = a.Value
		}
		if id := has["id"]; id != "" {
			if ids[id] {
				t.Errorf("id %s is there twice", id)
			}
			ids[id] = true
		}
		named = append(named, strings.Fields(has["aria-labelledby"])...)
		switch name := element.Name.Local; name {
		case "svg", "img":
			pictures[has["aria-hidden"]]++
			if has["aria-hidden"] != "true" && (has["role"] != "img" || has["aria-labelledby"] == "") {
				t.Errorf("%s without a text: %v", name, element.Attr)
			}
		case "h1", "h2", "h3":
			next := int(name[1] - '0')
			if next > level+1 {
				t.Errorf("%s after h%d", name, level)
			}
			level = next
		case "th":
			if has["scope"] == "" {
				t.Error("a heading of a table without a scope")
			}
		}
	}
	for _, id := range named {
		if !ids[id] {
			t.Errorf("nothing has the id %s", id)
		}
	}
	if !bytes.Contains(text, []byte(`name="viewport"`)) || !bytes.Contains(text, []byte("prefers-color-scheme:dark")) {
		t.Error("neither for a phone nor for the dark")
	}
	t.Logf("%d bytes, %v pictures", len(text), pictures)
}

// largest is as much as a report can hold.
func largest() (run.Status, Facts) {
	s, f := paused()
	text := strings.Repeat("t", MostText)
	f.Points, f.Cells, f.Log.Lines, f.Failures.Newest, f.Rejects = nil, nil, nil, nil, nil
	for i := range MostPoints {
		f.Points = append(f.Points, Point{At: at(float64(i) + 0.123456), State: run.RollingBack, Handled: int64(i) * 1e8, Written: int64(i) * 1e8, Done: 1e5, Failed: 10, Workers: 100,
			Allowed: pointer(123456.789), Reason: strings.Repeat(string(rune('a'+i%7)), MostReason), EndsAt: pointer(at(1e6 + 0.1))})
	}
	for i := range int64(MostCells) {
		f.Cells = append(f.Cells, Cell{First: 417*i + 1, Last: 417 * (i + 1), Keys: strings.Repeat("k", MostKey), Done: 400, Failed: 17, Claimed: 417, Attempts: 1234, Most: 12,
			Seconds: 12345.678, Longest: 123.456, Rejected: 12, Conflicts: 1234})
	}
	for range MostLines {
		f.Log.Lines = append(f.Log.Lines, run.Change{At: at(1.1), By: "somebody@a-machine", State: run.Running, Detail: text})
	}
	for range MostFailures {
		f.Failures.Newest = append(f.Failures.Newest, run.Failure{Chunk: 99_999, At: at(1.1), Reason: text})
	}
	for range MostStates {
		f.Rejects = append(f.Rejects, Rejects{"23514", 100_000, 1000})
	}
	return s, f
}

func TestTheLargestReportStaysBelow256KB(t *testing.T) {
	document, err := json.Marshal(New(largest()))
	if err != nil || len(document) > 256_000 {
		t.Fatalf("%d bytes, %v", len(document), err)
	}
	t.Log(len(document))
}

func TestAPauseIsNoTimeInWhichItMoved(t *testing.T) {
	r := New(paused())
	if r.Times.Whole != 100 || r.Times.Moving != 80 || r.Speed() != "12,500 rows/s" {
		t.Errorf("%+v, %s", r.Times, r.Speed())
	}
	for _, row := range r.Course() {
		if second := row.At.Sub(begun).Seconds(); (row.Speed == nil) != (second == 0 || second > 40 && second <= 60) {
			t.Errorf("after %.0f s: %v", second, row.Speed)
		}
	}
	if charts := r.Charts(); len(charts[1].Bands) != 1 || strings.Count(charts[1].Lines[0].Path, "M") != 2 {
		t.Errorf("%+v", charts[1])
	}
}

// TestAVerificationIsWorkAndNoProgress: what a canary's rows are looked at once more counts as speed, and is taken back by no dip.
func TestAVerificationIsWorkAndNoProgress(t *testing.T) {
	s, f := paused()
	f.Points = []Point{{At: begun, State: run.Running}, {At: at(10), State: run.Running, Handled: 1000}, {At: at(20), State: run.Running, Handled: 1000, Looked: 500},
		{At: at(30), State: run.Running, Handled: 3000}}
	r := New(s, f)
	for i, want := range []int64{100, 50, 200} {
		if got := r.Course()[i+1].Speed; got == nil || *got != want {
			t.Errorf("point %d: %v, want %d", i+1, got, want)
		}
	}
}

// TestASpeedIsThatOfASecondAtLeast: two samples that are milliseconds apart make no peak, and a pause keeps stretches apart.
func TestASpeedIsThatOfASecondAtLeast(t *testing.T) {
	s, f := paused()
	f.EndedAt = pointer(at(30))
	f.Points = []Point{{At: begun, State: run.Running}, {At: at(2), State: run.Running, Handled: 200}, {At: at(2.01), State: run.Running, Handled: 300}, {At: at(4), State: run.Paused, Handled: 500},
		{At: at(20), State: run.Running, Handled: 500}, {At: at(20.5), State: run.Running, Handled: 600, Looked: 100}, {At: at(22), State: run.Running, Handled: 700}, {At: at(22.1), State: run.Completed, Handled: 900}}
	want := []stretch{{begun, at(2), 200}, {at(2), at(4), 300}, {at(20), at(22.1), 500}}
	if got := New(s, f).stretches(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestReasonsAddUpWhateverTheirFigures(t *testing.T) {
	got := New(paused()).Reasons()
	if len(got) != 2 || got[0].Seconds != 60 || got[1].Seconds != 20 || got[1].Text != "lock_waiters 17 of 10 sessions" {
		t.Errorf("%+v", got)
	}
}

func TestWhatWasForetoldStandsBesideWhatCame(t *testing.T) {
	s, f := paused()
	told := map[string]string{}
	for _, each := range New(s, f).Foretold {
		told[each.What] = each.Told() + "; " + each.Was()
	}
	for what, want := range map[string]string{
		"rows to look at, by the catalog":        "1,100,000 rows; 1,000,000 rows, -9 %",
		"rows to write after the canary":         "800,000 rows (700,000 rows to 900,000 rows); 810,000 rows, within the bounds",
		"time after the canary, without pauses":  "50.0 s (40.0 s to 55.0 s); 1 min 0 s, outside of the bounds",
		"time to the end, after a quarter of it": "1 min 25 s; 1 min 15 s, -12 %",
		"time to the end, after half of it":      "50.0 s; 40.0 s, -20 %",
	} {
		if told[what] != want {
			t.Errorf("%s: %q, want %q", what, told[what], want)
		}
	}
	s.State = run.Failed
	for _, each := range New(s, f).Foretold {
		if each.Came != nil {
			t.Errorf("%+v of a run that failed", each)
		}
	}
}

func TestCostCountsEachDelivery(t *testing.T) {
	s, f := paused()
	before := New(s, f).Cost
	s.Chunks.Retries += 100
	after := New(s, f).Cost
	if after.Services[0].Counts[0].Count != before.Services[0].Counts[0].Count+100 || after.Calls != before.Calls+300 || after.Dollars <= before.Dollars {
		t.Errorf("%+v, then %+v", before, after)
	}
}

// TestALegendNamesEachColourThatIsThere, also where all chunks were quick, or were tried again once or twice.
func TestALegendNamesEachColourThatIsThere(t *testing.T) {
	for _, scale := range []float64{0.04, 1, 100} {
		s, f := paused()
		for i := range f.Cells {
			f.Cells[i].Longest = scale * float64(i) / 10
		}
		for _, m := range New(s, f).Maps() {
			named := map[int]bool{}
			for _, g := range m.Legend {
				named[g.Grade] = true
			}
			for _, square := range m.Squares {
				if len(m.Legend) > 0 && !named[square.Grade] {
					t.Errorf("%s, %v: %+v has no name in %+v", m.ID, scale, square, m.Legend)
				}
			}
		}
	}
}

func TestGradesTellTheMostFromTheLeast(t *testing.T) {
	for _, c := range []struct {
		value, most float64
		want        int
	}{{0, 10, 0}, {0.01, 10, 1}, {10, 10, 5}, {2.5, 10, 3}, {5, 0, 0}} {
		if got := grade(c.value, c.most); got != c.want {
			t.Errorf("%v of %v: %d, want %d", c.value, c.most, got, c.want)
		}
	}
}
