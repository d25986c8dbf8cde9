package definition

import (
	"fmt"
	"slices"

	"backfill/internal/signal"

	"github.com/goccy/go-yaml/ast"
)

// throttle reads the limits of signals: a number, or off for one that is only shown; and the metrics beside them.
func (r *reader) throttle(e entry) (signal.Limits, []signal.Metric) {
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok {
		r.refuse(e.at(), e.name, "no signal is named", "write lines below it, indented, like lock_waiters: 4, or remove it")
		return nil, nil
	}
	r.origins[e.name] = origin{key: e.key, start: e.key}
	var names []string
	for _, name := range signal.Names() {
		names = append(names, string(name))
	}
	limits, metrics := signal.Limits{}, []signal.Metric(nil)
	for _, line := range r.entries(mapping, e.name) {
		path := join(e.name, line.name)
		if below, ok := line.value.(*ast.MappingNode); ok {
			metrics = append(metrics, r.metric(line, below, path))
			continue
		}
		if !slices.Contains(names, line.name) {
			r.refuse(line.key, path, fmt.Sprintf("the signal %q is not known", line.name), DidYouMean(line.name, names))
			continue
		}
		if text, ok := r.line(line, path); ok {
			limits[signal.Name(line.name)] = r.limit(line, path, text)
		}
	}
	if len(metrics) > maxMetrics {
		r.refuse(e.key, e.name, fmt.Sprintf("there are %d metrics", len(metrics)), fmt.Sprintf("keep up to %d: all are read every 2 s", maxMetrics))
	}
	return limits, metrics
}

func (r *reader) limit(e entry, path, text string) float64 {
	limit, ok := signal.ParseLimit(text)
	if !ok {
		r.refuse(e.at(), path, fmt.Sprintf("%q is no limit", shorten(text)), "write a number from 0, or off where the signal is only to be shown")
	}
	return limit
}
