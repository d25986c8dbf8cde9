package operator

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"backfill/internal/run"
)

// redraw shows the whole status of a run on a terminal, again and again at the same place.
type redraw struct {
	session *session
	out     io.Writer
	news    news
	rows    int // of the terminal, that are drawn
}

func (r *redraw) show(status run.Status) {
	if status.State.Ended() {
		return // the summary takes its place
	}
	var sheet bytes.Buffer
	onto := *r.session
	onto.Width = func(io.Writer) (int, bool) { return r.session.Width(r.out) }
	onto.sheet(&sheet, status, []string{"Ctrl-C leaves the run alone"})
	now := r.session.Now()
	still := r.news.look(status, progress(status)+chunks(status), now)
	if text := standstill(status, still, now); text != "" {
		fmt.Fprintln(&sheet, labelled("still", text))
	}
	r.end()
	_, _ = r.out.Write(sheet.Bytes())
	r.rows = r.taken(sheet.String())
}

// end takes away what was drawn: the summary says it all.
func (r *redraw) end() {
	if r.rows > 0 {
		fmt.Fprintf(r.out, "\x1b[%dA\x1b[J", r.rows)
		r.rows = 0
	}
}

// painting are the signs that take no room on a terminal.
var painting = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// taken counts the rows of the terminal that a text takes: a line that is too long goes on in the next row.
func (r *redraw) taken(text string) (rows int) {
	columns, _ := r.session.Width(r.out)
	for line := range strings.Lines(text) {
		runes := utf8.RuneCountInString(painting.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""))
		rows += max(1, (runes+columns-1)/max(columns, 1))
	}
	return rows
}
