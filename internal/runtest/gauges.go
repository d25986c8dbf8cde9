package runtest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"backfill/internal/gauge"
)

// Gauges are figures that a test reads as CloudWatch would.
type Gauges struct {
	*gauge.Writer
	out bytes.Buffer
}

// NewGauges makes them.
func NewGauges() *Gauges {
	g := &Gauges{}
	g.Writer = gauge.New(&g.out, "stack", "", func() string { return "app" }, time.Now)
	return g
}

// Lines are those that were written since they were read before.
func (g *Gauges) Lines(t testing.TB) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for decoder := json.NewDecoder(&g.out); decoder.More(); {
		var line map[string]any
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// Expect reads one line, which has to have these members.
func (g *Gauges) Expect(t testing.TB, want map[string]any) map[string]any {
	t.Helper()
	lines := g.Lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines of figures: %v", len(lines), lines)
	}
	for name, value := range want {
		if lines[0][name] != value {
			t.Errorf("%s is %v, want %v: %v", name, lines[0][name], value, lines[0])
		}
	}
	return lines[0]
}
