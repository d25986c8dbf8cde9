package definition

import (
	"strings"
	"time"
)

const (
	withoutZone = "2006-01-02T15:04:05.999999"
	withZone    = withoutZone + "Z07:00"
)

var (
	clocks = []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05"}
	zones  = []string{"Z07:00", "Z0700", "Z07"}
)

func timestamp(text string) (string, bool) {
	t, ok := parseTime(text, clocks)
	return t.Format(withoutZone), ok
}

// timestamptz takes a time without a zone for UTC and says so in its text: a session's TimeZone must not decide.
func timestamptz(text string) (string, bool) {
	layouts := clocks
	for _, clock := range clocks[1:] {
		for _, zone := range zones {
			layouts = append(layouts[:len(layouts):len(layouts)], clock+zone)
		}
	}
	t, ok := parseTime(text, layouts)
	return t.UTC().Format(withZone), ok
}

// parseTime takes a T or a space between date and time, and Postgres' " UTC" for Z. Years that Go and Postgres
// write differently are refused.
func parseTime(text string, layouts []string) (time.Time, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if before, ok := strings.CutSuffix(text, "UTC"); ok {
		text = strings.TrimSpace(before) + "Z"
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t.Year() > 0 && t.UTC().Year() > 0 && t.UTC().Year() <= 9999
		}
	}
	return time.Time{}, false
}

// compareTimes compares texts that parse has accepted.
func compareTimes(a, b string) int {
	x, _ := parseTime(a, []string{withoutZone, withZone})
	y, _ := parseTime(b, []string{withoutZone, withZone})
	return x.Compare(y)
}
