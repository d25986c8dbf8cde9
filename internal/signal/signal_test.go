package signal_test

import (
	"testing"

	"backfill/internal/signal"
)

func number(value float64) *float64 { return &value }

// TestOfSeveralRunsTheStrictestLimitHolds; one that says nothing has the defaults, and one without a limit leaves it to the others.
func TestOfSeveralRunsTheStrictestLimitHolds(t *testing.T) {
	t.Parallel()
	off, four, six := signal.Limits{signal.LockWaiters: signal.Off}, signal.Limits{signal.LockWaiters: 4}, signal.Limits{signal.LockWaiters: 6}
	for name, c := range map[string]struct {
		all  []signal.Limits
		want float64
	}{
		"none": {nil, 10}, "defaults": {[]signal.Limits{nil, nil}, 10}, "both": {[]signal.Limits{six, four}, 4}, "off": {[]signal.Limits{off}, -1},
		"off and one": {[]signal.Limits{off, six}, 6}, "one and off": {[]signal.Limits{six, off}, 6}, "off and a default": {[]signal.Limits{off, nil}, 10},
	} {
		got, _ := signal.Strictest(c.all...).Read(signal.LockWaiters, "", nil)
		if (got.Limit == nil) != (c.want < 0) || got.Limit != nil && *got.Limit != c.want {
			t.Errorf("%s: %v", name, got.Limit)
		}
	}
}

func TestPressure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reading signal.Reading
		want    float64
		text    string
	}{
		"half":         {signal.Reading{Name: "n", Value: number(5), Limit: number(10), Unit: "s"}, 0.5, "n 5 of 10 s"},
		"of a standby": {signal.Reading{Name: "n", Of: "eu", Value: number(2.55), Limit: number(1), Unit: "s"}, 2.55, "n of eu 2.5 of 1 s"},
		"none wanted":  {signal.Reading{Name: "n", Value: number(1), Limit: number(0), Unit: "s"}, 2, "n 1 of 0 s"},
		"none there":   {signal.Reading{Name: "n", Value: number(0), Limit: number(0), Unit: "s"}, 0, "n 0 of 0 s"},
		"only shown":   {signal.Reading{Name: "n", Value: number(1234567), Unit: "bytes"}, 0, "n 1,234,567 bytes"},
		"missing":      {signal.Reading{Name: "n", Limit: number(10), Missing: "no right"}, 0, "n: no right"},
	} {
		if got := c.reading.Pressure(); got != c.want || c.reading.String() != c.text {
			t.Errorf("%s: %v, %q", name, got, c.reading.String())
		}
	}
	if _, known := (signal.Limits{}).Read("weather", "", nil); known {
		t.Error("a signal that nobody knows is read")
	}
}
