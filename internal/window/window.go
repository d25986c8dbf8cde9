// Package window tells when a run may work: on which days, between which hours, in which time zone.
//
// It owns the text of days and hours, and the times at which windows open and shut. It leaves the file to definition, and
// what happens then to the governor. Invariants: it has no clock of its own; no window at all is always open; the time of day is
// that of the zone, so a window moves with summer time; a window that goes past midnight belongs to the day on which it opens.
package window

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// day is the number of minutes in one, by the clock on the wall.
const day = 24 * 60

// Window is one stretch of each of its days. Where Until is not after From it ends on the next day.
type Window struct {
	Zone        *time.Location
	Days        []time.Weekday
	From, Until int // minutes after midnight
}

// Windows are all that a run has.
type Windows []Window

// Open tells whether the run may work at that time.
func (w Windows) Open(at time.Time) bool {
	if len(w) == 0 {
		return true
	}
	for _, one := range w {
		for _, back := range []int{0, -1} { // it may have opened yesterday
			from, until, on := one.on(at, back)
			if on && !at.Before(from) && at.Before(until) {
				return true
			}
		}
	}
	return false
}

// Next is when a window opens the next time after that; zero where none ever does.
func (w Windows) Next(at time.Time) time.Time {
	var next time.Time
	for _, one := range w {
		for ahead := range 9 { // a week, and a day more where today's has opened already
			from, _, on := one.on(at, ahead)
			if on && from.After(at) && (next.IsZero() || from.Before(next)) {
				next = from
			}
		}
	}
	return next
}

// on is the window of the day that is as many days away from a time, and whether it has one.
func (w Window) on(at time.Time, days int) (from, until time.Time, on bool) {
	year, month, date := at.In(w.Zone).Date()
	end := date + days
	if w.Until <= w.From {
		end++
	}
	from = time.Date(year, month, date+days, 0, w.From, 0, 0, w.Zone)
	until = time.Date(year, month, end, 0, w.Until, 0, 0, w.Zone)
	return from, until, slices.Contains(w.Days, time.Date(year, month, date+days, 12, 0, 0, 0, w.Zone).Weekday())
}

// names are the days as they are written, from Monday on.
var names = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// DayNames are the days as they are written.
func DayNames() []string { return slices.Clone(names) }

// ParseDays reads days and ranges of them: "mon-fri, sun". A range may go past Sunday.
func ParseDays(text string) ([]time.Weekday, error) {
	var days []time.Weekday
	for _, part := range strings.Split(text, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		from, to := slices.Index(names, first), slices.Index(names, last)
		if from < 0 || to < 0 {
			return nil, fmt.Errorf("%q is neither a day nor a range of days", strings.TrimSpace(part))
		}
		for i := from; ; i = (i + 1) % len(names) {
			if weekday := time.Weekday((i + 1) % len(names)); !slices.Contains(days, weekday) {
				days = append(days, weekday)
			}
			if i == to {
				break
			}
		}
	}
	return days, nil
}

// HoursPattern is the form of hours.
const HoursPattern = `^([0-9]{1,2}):([0-9]{2}) *- *([0-9]{1,2}):([0-9]{2})$`

var hours = regexp.MustCompile(HoursPattern)

// ParseHours reads a stretch of a day: "20:00-06:00". The whole day is "00:00-24:00".
func ParseHours(text string) (from, until int, err error) {
	found := hours.FindStringSubmatch(text)
	if found == nil {
		return 0, 0, fmt.Errorf("%q is not two times of the day", text)
	}
	from, until = minutes(found[1], found[2]), minutes(found[3], found[4])
	switch {
	case from < 0 || from == day:
		return 0, 0, fmt.Errorf("%s:%s is no time of the day at which a window opens", found[1], found[2])
	case until < 0:
		return 0, 0, fmt.Errorf("%s:%s is no time of the day", found[3], found[4])
	case from == until:
		return 0, 0, fmt.Errorf("a window from %s:%s to the same time is empty, or the whole day", found[1], found[2])
	}
	return from, until, nil
}

// minutes is the time of the day in minutes, 24:00 among them; negative where there is no such time.
func minutes(hour, minute string) int {
	h, _ := strconv.Atoi(hour) // both are digits
	m, _ := strconv.Atoi(minute)
	if m > 59 || h*60+m > day {
		return -1
	}
	return h*60 + m
}

// Everyday is every day of the week.
func Everyday() []time.Weekday {
	days, _ := ParseDays("mon-sun")
	return days
}

// Zone finds a time zone by its name. The zone of the machine has none.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	return zone, nil
}
