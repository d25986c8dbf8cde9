package operator

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"backfill/internal/run"

	"github.com/schollz/progressbar/v3"
)

const (
	scale = 1000 // parts of the bar
	frame = 10   // columns around it: the percentage, brackets, spaces
)

// bar shows a run on a terminal: one line with a bar, one with chunks and the reason of the speed.
type bar struct {
	out   io.Writer
	width func(io.Writer) (int, bool)
	now   func() time.Time
	news  news
	drawn *progressbar.ProgressBar
}

func (b *bar) show(status run.Status) {
	if status.State.Ended() {
		return // the summary takes its place
	}
	columns, _ := b.width(b.out)
	wide := min(columns/3, 40)
	if b.drawn == nil {
		b.drawn = progressbar.NewOptions(scale, progressbar.OptionSetWriter(b.out), progressbar.OptionSetWidth(wide),
			progressbar.OptionUseANSICodes(true), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionSetMaxDetailRow(1))
	}
	b.drawn.Describe(fit(headOf(status, b.now()), columns-wide-frame))
	// Not to the very end: a bar that is full counts as finished and is not drawn again.
	_ = b.drawn.Set(min(int(done(status)*scale), scale-1))
	_ = b.drawn.AddDetail(fit(b.detail(status, b.now()), columns-1))
}

// end leaves an empty line where the bar was: the summary says it all.
func (b *bar) end() {
	if b.drawn != nil {
		fmt.Fprint(b.out, "\r\x1b[J")
	}
}

func headOf(status run.Status, now time.Time) string {
	return printable(strings.Join(append([]string{string(status.State)}, pace(status, now)...), " · "))
}

// detail is the line below the bar. That nothing moves comes first: what does not fit is cut.
func (b *bar) detail(status run.Status, now time.Time) string {
	figures := progress(status) + " · " + chunks(status)
	still := b.news.look(status, figures, now)
	if text := standstill(status, still, now); text != "" {
		return printable("  " + text + " · " + figures)
	}
	if reason := b.news.reason(status, now); reason != "" {
		figures += " · " + reason
	}
	return printable("  " + figures)
}

// fit shortens a text to a number of columns.
func fit(text string, columns int) string {
	if columns < 1 {
		return ""
	}
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:columns-1]) + "…"
}
