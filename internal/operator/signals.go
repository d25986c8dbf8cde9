package operator

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"backfill/internal/signal"
)

// wide is how much of a line several signals share where there is no terminal.
const wide = 110

// fewest lines that signals have, whatever else there is to say.
const fewest = 3

// readings are the signals of the database, each with its limit, in a line of its own where there is room. Else they share
// lines, and those that are the furthest from their limits are left out and counted.
func readings(all []signal.Reading, room, width int) []string {
	room = max(room, fewest)
	lines := texts(all)
	if len(lines) <= room {
		return lines
	}
	for left := slices.Clone(all); ; left = withoutLeast(left) {
		lines = texts(left)
		if gone := len(all) - len(left); gone > 0 {
			lines = append(lines, fmt.Sprintf("%d more are further from their limits", gone))
		}
		if lines = wrapped(lines, width); len(lines) <= room || len(left) == 0 {
			return lines
		}
	}
}

func texts(all []signal.Reading) []string {
	lines := make([]string, len(all))
	for i, reading := range all {
		lines[i] = printable(reading.String())
	}
	return lines
}

// withoutLeast leaves out the signal that matters the least.
func withoutLeast(all []signal.Reading) []signal.Reading {
	least := 0
	for i, reading := range all {
		if weight(reading) < weight(all[least]) {
			least = i
		}
	}
	return slices.Delete(all, least, least+1)
}

// weight is how much a signal matters: one that is missing slows as one at its limit does.
func weight(reading signal.Reading) float64 {
	if reading.Value == nil {
		return 1
	}
	return reading.Pressure()
}

// wrapped puts as many texts into a line as it holds.
func wrapped(all []string, width int) (lines []string) {
	for _, text := range all {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+utf8.RuneCountInString(text)+len("; ") <= width {
			lines[last] = strings.Join([]string{lines[last], text}, "; ")
			continue
		}
		lines = append(lines, text)
	}
	return lines
}
