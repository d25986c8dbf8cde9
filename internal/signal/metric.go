package signal

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Metric is a signal of a user's own: an SQL query that gives one number.
type Metric struct {
	Name  Name    `json:"name"`
	Query string  `json:"query"`
	Limit float64 `json:"limit"` // below 0: it is only shown
	Unit  string  `json:"unit,omitempty"`
	Of    string  `json:"-"` // the run, where others have another query of this name
}

// Statement is the query as it is sent: in parentheses it can be no more than one SELECT, which changes nothing by itself.
func (m Metric) Statement() string { return "SELECT (" + m.Query + ")::pg_catalog.float8" }

// Read makes a reading of what the query gave; missing says why it gave nothing.
func (m Metric) Read(value *float64, missing string) Reading {
	if value != nil && (math.IsNaN(*value) || math.IsInf(*value, 0)) {
		value, missing = nil, "its query gives no number"
	}
	r := Reading{Name: m.Name, Of: m.Of, Value: value, Unit: m.Unit, Missing: missing}
	if m.Limit >= 0 {
		r.Limit = &m.Limit
	}
	return r
}

// Together are the metrics of several runs: a query that they share is one, with the strictest limit.
func Together(runs map[string][]Metric) []Metric {
	var all []Metric
	for _, run := range slices.Sorted(maps.Keys(runs)) {
		for _, m := range runs[run] {
			m.Of = run
			if i := slices.IndexFunc(all, func(other Metric) bool { return other.Name == m.Name && other.Query == m.Query }); i < 0 {
				all = append(all, m)
			} else if stricter(m.Limit, all[i].Limit) {
				all[i].Limit = m.Limit
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Metric) int { return strings.Compare(string(a.Name), string(b.Name)) })
	for i, m := range all {
		alone := !slices.ContainsFunc(all, func(other Metric) bool { return other.Name == m.Name && other.Query != m.Query })
		if alone {
			all[i].Of = ""
		}
	}
	return all
}
