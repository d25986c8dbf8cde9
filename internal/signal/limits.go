package signal

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits are the limits of some signals, below 0: it is only shown. The others have their defaults.
type Limits map[Name]float64

func (l Limits) of(k kind) float64 {
	if limit, set := l[k.name]; set {
		return limit
	}
	return k.limit
}

// Text is the limit of a signal as people write it, its default where it is not set.
func (l Limits) Text(name Name) string {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return ""
	}
	return LimitText(l.of(kinds[i]))
}

// With are these limits, but for those that are given.
func (l Limits) With(over Limits) Limits {
	if len(over) == 0 {
		return l
	}
	all := Limits{}
	maps.Copy(all, l)
	maps.Copy(all, over)
	return all
}

// String lists limits as people write them: "lock_waiters 4, io_waits off".
func (l Limits) String() string {
	var all []string
	for _, name := range Names() {
		if limit, set := l[name]; set {
			all = append(all, string(name)+" "+LimitText(limit))
		}
	}
	return strings.Join(all, ", ")
}

// LimitText is a limit as people write it.
func LimitText(limit float64) string {
	if limit < 0 {
		return "off"
	}
	return amount(limit)
}

// MaxLimit is the greatest limit that can be set.
const MaxLimit = 1e15

// ParseLimit reads a limit as people write it: a number from 0, or off where the signal is only to be shown.
func ParseLimit(text string) (limit float64, ok bool) {
	if text == "off" || text == "false" {
		return Off, true
	}
	limit, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil || limit < 0 || limit > MaxLimit || strings.ContainsAny(text, "xXpPnNiI") {
		return Off, false
	}
	return limit, true
}

// Known tells whether a name is one of the product's own signals.
func Known(name Name) bool { return slices.Contains(Names(), name) }

// Strictest are the limits that keep each of them.
func Strictest(all ...Limits) Limits {
	least := Limits{}
	for _, k := range kinds {
		for _, one := range all {
			limit := one.of(k)
			if before, set := least[k.name]; !set || stricter(limit, before) {
				least[k.name] = limit
			}
		}
	}
	return least
}

// stricter tells whether a limit keeps another that is not the same. Any does where there is none.
func stricter(limit, other float64) bool { return other < 0 || limit >= 0 && limit < other }
