package transform

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime reads what Postgres prints in the time zone UTC: 2024-01-31 12:00:00.5+00, 0044-03-15 BC, 12024-01-01.
func parseTime(text string) (time.Time, error) {
	text, before := strings.CutSuffix(text, " BC")
	year, rest, _ := strings.Cut(text, "-")
	number, err := strconv.Atoi(year)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a year: %w", err)
	}
	layout := "2006-01-02"
	if strings.Contains(rest, " ") {
		rest = strings.TrimSuffix(rest, "+00")
		layout = "2006-01-02 15:04:05"
	}
	// The year is put in apart: Go reads those of four digits. 2000 has every day that a year may have.
	at, err := time.Parse(layout, "2000-"+rest)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a time: %w", err)
	}
	if before {
		number = 1 - number
	}
	return time.Date(number, at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC), nil
}

// printTime is the time as Postgres reads it. Its year 0 is 1 BC.
func printTime(t time.Time) string {
	t = t.UTC()
	year, era := t.Year(), ""
	if year < 1 {
		year, era = 1-year, " BC"
	}
	return fmt.Sprintf("%04d-%s+00%s", year, t.Format("01-02 15:04:05.999999999"), era)
}
