package gauge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/gauge"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func writer(out *bytes.Buffer, level string) *gauge.Writer {
	return gauge.New(out, "orders", level, func() string { return "app" }, func() time.Time { return noon })
}

// everything is a line with each figure in it.
func everything(t *testing.T, values ...float64) map[string]any {
	t.Helper()
	var out bytes.Buffer
	figures := gauge.Figures{}
	for _, one := range gauge.All() {
		figures[one] = values
	}
	writer(&out, "").Write(gauge.Subject{Run: "email-1", Chunk: 7, Backfill: "users-email", Reason: "lock_waiters"}, figures)
	if strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("not one line: %s", out.String())
	}
	return decode(t, out.Bytes())
}

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var line map[string]any
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return line
}

// TestLinesFollowTheSpecification of AWS: its limits, as a JSON Schema, and what it says beside: each dimension and metric is a member of the
// line, a text or a number.
func TestLinesFollowTheSpecification(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "emf.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][]float64{"one value": {3}, "many": slices.Repeat([]float64{1.5}, 1000)} {
		line := everything(t, values...)
		if err := schema.Validate(line); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		seen := 0
		for _, d := range line["_aws"].(map[string]any)["CloudWatchMetrics"].([]any) {
			seen += check(t, name, line, d.(map[string]any))
		}
		if seen != len(gauge.All()) {
			t.Errorf("%s: %d of %d figures are metrics", name, seen, len(gauge.All()))
		}
	}
}

func check(t *testing.T, name string, line, directive map[string]any) (metrics int) {
	t.Helper()
	for _, set := range directive["Dimensions"].([]any) {
		for _, dimension := range set.([]any) {
			if text, ok := line[dimension.(string)].(string); !ok || text == "" || len(text) > 1024 {
				t.Errorf("%s: dimension %s is %v", name, dimension, line[dimension.(string)])
			}
			if slices.Contains([]string{"run", "chunk"}, strings.ToLower(dimension.(string))) {
				t.Errorf("%s is a dimension: each value of it makes metrics", dimension)
			}
		}
	}
	for _, m := range directive["Metrics"].([]any) {
		metrics++
		switch value := line[m.(map[string]any)["Name"].(string)].(type) {
		case float64:
		case []any:
			if len(value) > 100 {
				t.Errorf("%s: %d values", name, len(value))
			}
		default:
			t.Errorf("%s: %v is %v", name, m, value)
		}
	}
	return metrics
}

// TestNamesAreTheirOwn: two figures of one name would be one metric, and a member of the line cannot be two things.
func TestNamesAreTheirOwn(t *testing.T) {
	t.Parallel()
	names := map[string]bool{"run": true, "chunk": true, "level": true, "timestamp": true, "message": true, "_aws": true}
	for _, set := range slices.Concat(gauge.Dimensions(), gauge.ReasonDimensions()) {
		for _, dimension := range set {
			names[dimension] = true
		}
	}
	for _, one := range gauge.All() {
		if names[one.Name] {
			t.Errorf("%s is there twice", one.Name)
		}
		names[one.Name] = true
	}
}

// TestALineGetsThrough what Lambda filters by level, and says what it is of.
func TestALineGetsThrough(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"": "INFO", "DEBUG": "INFO", "WARN": "WARN", "error": "ERROR"} {
		var out bytes.Buffer
		writer(&out, level).Write(gauge.Subject{Run: "email-1", Chunk: 7}, gauge.Figures{gauge.Batches: gauge.Whole(2)})
		line := decode(t, out.Bytes())
		if line["level"] != want || line["timestamp"] != "2026-11-27T12:00:00Z" || line["run"] != "email-1" || line["chunk"] != 7.0 || line["Batches"] != 2.0 {
			t.Errorf("%s: %v", level, line)
		}
		if line["Backfill"] != gauge.Unknown || line["Database"] != "app" || line["Stack"] != "orders" {
			t.Errorf("dimensions: %v", line)
		}
	}
}

// TestNamesAreBounded: somebody may start ever new definitions, and each name costs.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := writer(&out, "")
	names := map[any]bool{}
	for i := range 1000 {
		out.Reset()
		w.Write(gauge.Subject{Backfill: fmt.Sprintf("one-%d", i)}, gauge.Figures{gauge.Batches: gauge.Whole(1)})
		names[decode(t, out.Bytes())["Backfill"]] = true
	}
	if len(names) != 51 || !names[gauge.Others] || !names["one-0"] {
		t.Errorf("%d names", len(names))
	}
}

// TestWhatIsNoNumberIsLeftOut, and without a figure there is no line.
func TestWhatIsNoNumberIsLeftOut(t *testing.T) {
	t.Parallel()
	line := everything(t, math.NaN(), math.Inf(1), 4)
	if line["Rate"] != 4.0 {
		t.Errorf("%v", line["Rate"])
	}
	var out bytes.Buffer
	writer(&out, "").Write(gauge.Subject{}, nil)
	var none *gauge.Writer
	none.Write(gauge.Subject{}, gauge.Figures{gauge.Batches: gauge.Whole(1)})
	if out.Len() > 0 {
		t.Errorf("%s", out.String())
	}
}

// TestASampleIsEven over what it was told, and never larger than a line may hold.
func TestASampleIsEven(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 99, 100, 101, 1000, 12_345} {
		var s gauge.Sample
		for i := range n {
			s.Keep(float64(i))
		}
		got := s.Values()
		if len(got) > 100 || n > 0 && (len(got) < min(n, 50) || got[0] != 0) {
			t.Fatalf("%d of %d values", len(got), n)
		}
		for i := 1; i < len(got); i++ {
			if widest := 2*float64(n)/float64(len(got)) + 1; got[i]-got[i-1] > widest || got[i] <= got[i-1] {
				t.Errorf("of %d: %v after %v", n, got[i], got[i-1])
			}
		}
	}
}

// TestEachFigureIsInTheDocs, in its unit, and nothing else is.
func TestEachFigureIsInTheDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			told[strings.Trim(name, " `")] = strings.TrimSpace(cells[2])
		}
	}
	for _, one := range gauge.All() {
		if told[one.Name] != string(one.Unit) {
			t.Errorf("%s is in %s, and the docs say %q", one.Name, one.Unit, told[one.Name])
		}
		delete(told, one.Name)
	}
	if len(told) > 0 {
		t.Errorf("nobody tells %v", told)
	}
}
