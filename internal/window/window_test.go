package window_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"backfill/internal/window"
)

// parse makes a window as a file would have it.
func parse(t *testing.T, zone, days, hours string) window.Window {
	t.Helper()
	var w window.Window
	var err error
	w.Zone, err = window.Zone(zone)
	must(t, err)
	w.Days, err = window.ParseDays(days)
	must(t, err)
	w.From, w.Until, err = window.ParseHours(hours)
	must(t, err)
	return w
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	must(t, err)
	return parsed
}

// TestWindowsOpenAndShut: 2026-11-27 is a Friday; Berlin is an hour ahead of UTC in winter, two in summer.
func TestWindowsOpenAndShut(t *testing.T) {
	t.Parallel()
	night := window.Windows{parse(t, "Europe/Berlin", "mon-fri", "20:00-06:00")}
	both := append(window.Windows{parse(t, "Europe/Berlin", "sat, sun", "00:00-24:00")}, night...)
	for name, c := range map[string]struct {
		windows window.Windows
		now     string
		open    bool
		next    string
	}{
		"before it opens":               {night, "2026-11-27T18:59:59Z", false, "2026-11-27T19:00:00Z"},
		"when it opens":                 {night, "2026-11-27T19:00:00Z", true, "2026-11-30T19:00:00Z"},
		"past midnight":                 {night, "2026-11-28T04:59:59Z", true, "2026-11-30T19:00:00Z"},
		"when it shuts":                 {night, "2026-11-28T05:00:00Z", false, "2026-11-30T19:00:00Z"},
		"a Monday before Friday's end":  {night, "2026-11-30T04:00:00Z", false, "2026-11-30T19:00:00Z"},
		"in summer":                     {night, "2026-07-01T18:00:00Z", true, "2026-07-02T18:00:00Z"},
		"one window after the other":    {both, "2026-11-28T05:00:00Z", true, "2026-11-28T23:00:00Z"},
		"the last second of the week":   {both, "2026-11-29T22:59:59Z", true, "2026-11-30T19:00:00Z"},
		"the first of the next":         {both, "2026-11-29T23:00:00Z", false, "2026-11-30T19:00:00Z"},
		"once a week, a week ahead":     {window.Windows{parse(t, "UTC", "fri", "10:00-11:00")}, "2026-11-27T11:00:00Z", false, "2026-12-04T10:00:00Z"},
		"an hour that summer time eats": {window.Windows{parse(t, "Europe/Berlin", "sun", "02:30-04:00")}, "2026-03-29T01:29:00Z", false, "2026-03-29T01:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := at(t, c.now)
			if open := c.windows.Open(now); open != c.open {
				t.Errorf("open: %v", open)
			}
			if next := c.windows.Next(now); !next.Equal(at(t, c.next)) {
				t.Errorf("it opens next at %s, want %s", next, c.next)
			}
		})
	}
}

// TestAWindowOpensWhenNextSays, and not before: every quarter of an hour of a year, across both changes of the clock.
func TestAWindowOpensWhenNextSays(t *testing.T) {
	t.Parallel()
	windows := window.Windows{parse(t, "Europe/Berlin", "mon-fri", "22:15-02:45"), parse(t, "America/New_York", "sun", "01:30-03:00")}
	for now := at(t, "2026-01-01T00:00:00Z"); now.Year() == 2026; now = now.Add(15 * time.Minute) {
		next := windows.Next(now)
		if !next.After(now) || !windows.Open(next) {
			t.Fatalf("at %s it opens next at %s", now, next)
		}
		if !windows.Open(now) && windows.Open(next.Add(-time.Second)) {
			t.Fatalf("at %s it is shut, and open a second before %s", now, next)
		}
	}
}

func TestNoWindowIsAlwaysOpen(t *testing.T) {
	t.Parallel()
	if !(window.Windows{}).Open(time.Now()) || !(window.Windows{}).Next(time.Now()).IsZero() {
		t.Error("it is not")
	}
}

func TestWhatIsNoWindow(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "mo", "Mon", "mon-", "-fri", "mon-fri-sat", "mon,,tue", "mon fri"} {
		if days, err := window.ParseDays(text); err == nil {
			t.Errorf("days %q are %v", text, days)
		}
	}
	for _, text := range []string{"", "20-06", "20:00", "20:00-06", "24:00-06:00", "20:60-21:00", "20:00-24:01", "20:00-20:00", "x20:00-21:00"} {
		if from, until, err := window.ParseHours(text); err == nil {
			t.Errorf("hours %q are %d to %d", text, from, until)
		}
	}
	for _, text := range []string{"", "Local", "CEST", "Europe/Atlantis", "../etc/passwd"} {
		if _, err := window.Zone(text); err == nil {
			t.Errorf("%q is a zone", text)
		}
	}
	if days, err := window.ParseDays("fri-mon, sun"); err != nil || len(days) != 4 {
		t.Errorf("past Sunday: %v, %v", days, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
