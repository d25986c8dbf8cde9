package operator

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"backfill/internal/change"
	"backfill/internal/prospect"
)

// beforeAndAfter shows rows, a line for each column. Values are on this terminal alone.
func (s *session) beforeAndAfter(w io.Writer, found prospect.Prospect) {
	if len(found.Sample) == 0 {
		return
	}
	t := table{}
	t.head("KEY", "COLUMN", "BEFORE", "AFTER")
	var failed []string
	for _, row := range found.Sample {
		if row.Error != "" {
			failed = append(failed, strings.TrimPrefix(strings.Join(row.Key, ", ")+": "+row.Error, ": "))
		}
		for i, column := range found.Change.Shown() {
			if i < len(row.Before) {
				t.row(strings.Join(row.Key, ", "), column.Column, was(found, row, i), becomes(found, row, i))
			}
		}
	}
	fmt.Fprintln(w, "rows in scope, before and after; constraints and triggers were not tried")
	if columns, terminal := s.Width(w); terminal {
		t.share(2, columns)
		t.fit(columns)
	}
	t.write(w, func(_ int, cell string) string { return cell })
	for _, text := range failed {
		fmt.Fprintf(w, "  %s\n", printable(text))
	}
}

// was is what a column holds. A row that is copied is none before.
func was(found prospect.Prospect, row prospect.Row, i int) string {
	if found.Change.Copy != nil {
		return "(no row)"
	}
	return ended(row, held(row.Before, i, ""))
}

// becomes is what a column would hold.
func becomes(found prospect.Prospect, row prospect.Row, i int) string {
	switch {
	case found.Change.Kind == change.Delete:
		return "gone"
	case row.Same:
		return "(stays)"
	}
	return ended(row, held(row.After, i, "not known"))
}

// shownOf is how much of a value an answer has, in characters.
const shownOf = 200

// ended marks a value that goes on.
func ended(row prospect.Row, value string) string {
	if row.Cut && utf8.RuneCountInString(value) == shownOf {
		return value + "…"
	}
	return value
}

// seconds is a duration that was given in them.
func seconds(n int64) string { return span(time.Duration(n) * time.Second) }
