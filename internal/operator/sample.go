package operator

import (
	"fmt"
	"io"
	"strings"
	"time"

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
		for i, column := range found.Change.Columns() {
			if i < len(row.Before) {
				t.row(strings.Join(row.Key, ", "), column.Name, held(row.Before, i, ""), becomes(found, row, i))
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

// becomes is what a column would hold.
func becomes(found prospect.Prospect, row prospect.Row, i int) string {
	switch {
	case found.Change.Kind == change.Delete:
		return "gone"
	case row.Same:
		return "(stays)"
	}
	return held(row.After, i, "not known")
}

// seconds is a duration that was given in them.
func seconds(n int64) string { return span(time.Duration(n) * time.Second) }
