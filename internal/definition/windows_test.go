package definition_test

import (
	"testing"
	"time"

	"backfill/internal/definition"
)

// TestWindows: one or a list of them; what is left out is UTC, every day, the whole day.
func TestWindows(t *testing.T) {
	t.Parallel()
	const rest = "name: a\ntable: b\nset: {c: d}\n"
	monday := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for text, open := range map[string]string{ // of each hour of the Monday
		"windows: {days: mon}":          "111111111111111111111111",
		"windows: {days: Tue}":          "000000000000000000000000",
		"windows: {hours: 20:00-06:00}": "111111000000000000001111",
		"windows:\n  timezone: Europe/Berlin\n  days: mon\n  hours: 20:00-06:00":               "000000000000000000011111",
		"windows: [{days: [mon, wed-fri], hours: 0:00-2:00}, {days: mon, hours: 22:00-24:00}]": "110000000000000000000011",
		"owner: nobody": "111111111111111111111111",
	} {
		if _, problems := definition.Parse([]byte(rest + text)); problems != nil {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		windows, got := definition.WindowsOf(rest+text), ""
		for hour := range 24 {
			if windows.Open(monday.Add(time.Duration(hour) * time.Hour)) {
				got += "1"
			} else {
				got += "0"
			}
		}
		if got != open {
			t.Errorf("%s: %s, want %s", text, got, open)
		}
	}
}
