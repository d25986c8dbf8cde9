package definition

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a function's image has no time zones

	"backfill/internal/window"

	"github.com/goccy/go-yaml/ast"
)

var windowKeys = namesOf(windowProperties())

// WindowsOf are the windows of a definition's text, as it was stored with a run.
func WindowsOf(source string) window.Windows {
	d, _ := Parse([]byte(source)) // it was accepted when the run began
	return d.Windows
}

// windows reads one window, or a list of them.
func (r *reader) windows(e entry) window.Windows {
	switch node := e.value.(type) {
	case *ast.MappingNode:
		return window.Windows{r.window(e, node, e.name)}
	case *ast.SequenceNode:
		if len(node.Values) == 0 {
			r.refuse(start(node), e.name, "the list is empty", "write a window, or remove the line: then it is always open")
		}
		var all window.Windows
		for i, value := range node.Values {
			path := fmt.Sprintf("windows[%d]", i)
			mapping, ok := value.(*ast.MappingNode)
			if !ok {
				r.refuse(start(value), path, "it is no window", "write {timezone: Europe/Berlin, days: mon-fri, hours: 20:00-06:00}")
				continue
			}
			all = append(all, r.window(entry{key: start(value), value: value}, mapping, path))
		}
		return all
	}
	r.refuse(e.at(), e.name, "it is neither a window nor a list of windows",
		"write lines below it, indented: timezone: Europe/Berlin, days: mon-fri, hours: 20:00-06:00")
	return nil
}

func (r *reader) window(e entry, mapping *ast.MappingNode, path string) window.Window {
	w := window.Window{Zone: time.UTC, Days: window.Everyday(), Until: 24 * 60}
	given := map[string]bool{}
	for _, field := range r.entries(mapping, path) {
		given[field.name] = true
		at := join(path, field.name)
		switch field.name {
		case "timezone":
			w.Zone = r.zone(field, at, w.Zone)
		case "days":
			w.Days = r.days(field, at)
		case "hours":
			r.hours(field, at, &w)
		default:
			r.refuse(field.key, path, fmt.Sprintf("the key %q is not known", field.name), DidYouMean(field.name, windowKeys))
		}
	}
	if !given["days"] && !given["hours"] {
		r.refuse(e.key, path, "it says neither days nor hours, so it is always open", "add one, or remove it")
	}
	return w
}

func (r *reader) zone(e entry, path string, otherwise *time.Location) *time.Location {
	name, ok := r.line(e, path)
	if !ok {
		return otherwise
	}
	zone, err := window.Zone(name)
	if err != nil {
		r.refuse(e.at(), path, fmt.Sprintf("%q is not a time zone", shorten(name)), "write one like Europe/Berlin or UTC, or remove the line for UTC")
		return otherwise
	}
	return zone
}

// days reads "mon-fri, sun", or a list of such.
func (r *reader) days(e entry, path string) []time.Weekday {
	parts := []entry{e}
	if list, ok := e.value.(*ast.SequenceNode); ok {
		parts = nil
		for _, value := range list.Values {
			parts = append(parts, entry{key: start(value), value: value})
		}
		if parts == nil {
			r.refuse(start(list), path, "the list is empty", "name days, or remove the line for every day")
		}
	}
	var all []time.Weekday
	for _, part := range parts {
		text, ok := r.line(part, path)
		if !ok {
			continue
		}
		days, err := window.ParseDays(strings.ToLower(text))
		if err != nil {
			r.refuse(part.at(), path, clip(err.Error(), 120), "write mon, tue, wed, thu, fri, sat, sun, or a range like mon-fri")
		}
		for _, weekday := range days {
			if !slices.Contains(all, weekday) {
				all = append(all, weekday)
			}
		}
	}
	return all
}

func (r *reader) hours(e entry, path string, w *window.Window) {
	text, ok := r.line(e, path)
	if !ok {
		return
	}
	from, until, err := window.ParseHours(text)
	if err != nil {
		r.refuse(e.at(), path, clip(err.Error(), 120), "write two times of 24 hours, as 20:00-06:00; the second may be on the next day")
		return
	}
	w.From, w.Until = from, until
}
