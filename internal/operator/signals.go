package operator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/figure"
	"backfill/internal/signal"
	"backfill/internal/throttle"
)

const (
	// mostSignals is how many lines signals have, and fewestSignals whatever else there is to say; -o json has all.
	mostSignals, fewestSignals = 4, 3
	// mostNames of signals that are missing for one reason are told.
	mostNames = 2
)

// line is what is said of one signal, or of some that are missing for one reason.
type line struct {
	text    string
	signals int
}

// readings show how the database fares: what is near its limit or missing in full, the others in one line.
func readings(all []signal.Reading, room int) (texts []string) {
	lines := append(pressing(all), missing(all)...)
	rest := 0
	for len(lines) >= max(min(room, mostSignals), fewestSignals) {
		last := len(lines) - 1
		rest, lines = rest+lines[last].signals, lines[:last]
	}
	for _, line := range lines {
		texts = append(texts, line.text)
	}
	if text := others(all, len(lines) > 0, rest); text != "" {
		texts = append(texts, text)
	}
	return texts
}

// pressing are the signals that are near their limits or above, the worst first.
func pressing(readings []signal.Reading) (lines []line) {
	worst := slices.DeleteFunc(slices.Clone(readings), func(r signal.Reading) bool { return r.Pressure() <= throttle.Calm })
	slices.SortStableFunc(worst, func(a, b signal.Reading) int { return cmp.Compare(b.Pressure(), a.Pressure()) })
	for _, r := range worst {
		lines = append(lines, line{r.String(), 1})
	}
	return lines
}

// missing are the signals without a value, by reason.
func missing(readings []signal.Reading) (lines []line) {
	names, reasons := map[string][]string{}, []string(nil)
	for _, r := range readings {
		if r.Value != nil {
			continue
		}
		if names[r.Missing] == nil {
			reasons = append(reasons, r.Missing)
		}
		names[r.Missing] = append(names[r.Missing], r.Key())
	}
	for _, reason := range reasons {
		text := strings.Join(names[reason][:min(len(names[reason]), mostNames)], ", ")
		if more := len(names[reason]) - mostNames; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		lines = append(lines, line{text + ": " + reason, len(names[reason])})
	}
	return lines
}

// others sums up what is not shown; rest are those that would be, if there was room.
func others(readings []signal.Reading, besides bool, rest int) string {
	below, shown := 0, 0
	for _, r := range readings {
		switch {
		case r.Value == nil || r.Pressure() > throttle.Calm:
		case r.Limit == nil:
			shown++
		default:
			below++
		}
	}
	var parts []string
	if below > 0 {
		text := fmt.Sprint(below)
		if besides {
			text = figure.Plural(int64(below), "other", "others")
		}
		parts = append(parts, text+" below 80 % of the limit")
	}
	if shown > 0 {
		parts = append(parts, fmt.Sprintf("%d without a limit", shown))
	}
	if rest > 0 {
		parts = append(parts, figure.Plural(int64(rest), "more is", "more are")+" near it, or missing")
	}
	return strings.Join(parts, ", ")
}
